/** What the view Read says around its pages, which are in read/. */
export const read = {
  folder: "en", // of read/; a translation has one of its own
  contents: "All questions",
  pages: "Questions",
  around: "The question before, and the next",
  before: "Before",
  after: "Next",
  noPage: (name) => `There is no page called “${name}”, so these are all questions.`,
  slide: (name) => `Value of ${name}`,
  step: "Open in Step",
  practise: (family) => `Practise: ${family}`,
  again: "Back to how it was",
};
