// Runs before the first paint: a page that turns dark after it was light would be unkind to the eyes.
{
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wanted = localStorage.getItem("theme");
    root.dataset.theme = wanted === "light" || wanted === "dark" ? wanted : system.matches ? "dark" : "light";
  };
  system.addEventListener("change", apply);
  root.addEventListener("theme", apply);
  addEventListener("storage", apply); // chosen in another tab
  apply();
}
