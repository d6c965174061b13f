/** What stands at the right of the header: undo and redo, sharing, and the theme. */
import { button, choice, dialog, element, icon, newId } from "./controls.js";
import { shell as say } from "./words/shell.js";

const LARGEST_MODEL = 1_000_000; // bytes
const ICONS = {
  undo: "M8 4 4 8l4 4M4 8h7.5a4 4 0 0 1 0 8H8",
  redo: "m12 4 4 4-4 4m4-4H8.5a4 4 0 0 0 0 8H12",
  theme: "M16.5 11.6A7 7 0 1 1 8.4 3.5a5.6 5.6 0 0 0 8.1 8.1z",
};

/**
 * Fill the header's right side, and return what shows there whether there is something to undo and to redo.
 * @param {object} app has `undo`, `redo`, `reset`, `link` and `isLinkWhole` besides what views get
 */
export function tools(place, app) {
  const undo = iconButton("undo", say.undo, app.undo);
  const redo = iconButton("redo", say.redo, app.redo);
  const file = element("input", { type: "file", accept: ".safetensors", hidden: true, on: { change: () => openModel(file, app) } });
  const acts = [
    [say.copyLink, () => copyLink(app)],
    [say.snippet, () => showSnippet(app)],
    [say.saveModel, async () => app.announce(say.saved(await app.download("/api/model", { scene: app.state.scene })))],
    [say.openModel, () => file.click()],
    [say.startAgain, app.reset],
  ];
  const buttons = acts.map(([text, act]) =>
    button(text, () => {
      list.hidePopover();
      act();
    }),
  );
  const list = menu(...buttons);
  const theme = menu(themeChoice());
  const share = button(say.share, null, { popovertarget: list.id });
  place.append(undo, redo, share, list, file, iconButton("theme", say.theme, null, { popovertarget: theme.id }), theme);
  return (canUndo, canRedo) => {
    undo.ariaDisabled = !canUndo;
    redo.ariaDisabled = !canRedo;
  };
}

/** Return a panel that a button opens; Escape, or anything outside, closes it. */
const menu = (...content) => element("div", { class: "panel menu", popover: "auto", id: newId() }, ...content);

function iconButton(name, label, onClick, properties) {
  const made = button("", onClick, { label, class: "icon", ...properties });
  made.append(icon(20, ICONS[name]));
  return made;
}

function themeChoice() {
  const store = (value) => {
    localStorage.setItem("theme", value);
    document.documentElement.dispatchEvent(new Event("theme"));
  };
  return choice(say.theme, say.themes, localStorage.getItem("theme") ?? "system", store);
}

/** Copy a text where the browser lets a page do so; tell whether it does. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

async function copyLink(app) {
  const address = app.link();
  if (await copy(address)) {
    app.announce(app.isLinkWhole() ? say.linkCopied : say.linkWithoutTable, true);
    return;
  }
  const box = element("textarea", { readonly: true, rows: 4, class: "code", "aria-label": say.link });
  box.value = address;
  dialog(say.link, say.close, element("p", {}, say.linkHint), box);
  box.select();
}

async function showSnippet(app) {
  const { scene, data, training } = app.state;
  const body = app.view === "train" ? { scene, data, training } : { scene };
  const { python } = await app.ask("/api/snippet", body);
  const code = element("pre", { class: "code", tabindex: 0, role: "region", "aria-label": say.snippetTitle }, element("code", {}, python));
  const said = element("span", { role: "status", class: "hint" });
  const copying = button(say.copy, async () => {
    if (await copy(python)) said.textContent = say.copied;
    else getSelection().selectAllChildren(code);
  });
  const shown = dialog(say.snippetTitle, say.close, element("p", "hint", say.snippetHint), code);
  shown.lastChild.prepend(said, copying);
  copying.focus();
}

async function openModel(input, app) {
  const [file] = input.files;
  input.value = ""; // so that the same file can be chosen again
  if (!file) return;
  if (file.size > LARGEST_MODEL) {
    app.notice(say.tooLarge(file.name));
    return;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  const { scene } = await app.ask("/api/open-model", { content: btoa(letters) });
  app.set({ scene });
  app.announce(say.opened(file.name), true);
}
