/** What is larger than its place fades where there is more of it, and can be scrolled by keyboard. */

const places = new ResizeObserver((all) => all.forEach(({ target }) => target.onscroll()));

/**
 * Look after an element; to be called again when its content has changed.
 * @param {HTMLElement} element
 * @param {string|null} [name] for those who do not see it; null where the focus moves inside, which scrolls it
 */
export function scrollable(element, name) {
  element.onscroll = () => {
    const { scrollLeft, scrollWidth, clientWidth, scrollHeight, clientHeight } = element;
    const hidden = scrollWidth - clientWidth;
    const isLarge = hidden > 1 || scrollHeight > clientHeight + 1;
    const is = { scrolls: isLarge, "has-before": scrollLeft > 1, "has-after": scrollLeft < hidden - 1 };
    for (const [one, isSo] of Object.entries(is)) element.classList.toggle(one, isSo);
    if (name === null) return;
    for (const [key, value] of [["tabindex", 0], ...(name ? [["role", "group"], ["aria-label", name]] : [])]) {
      if (isLarge) element.setAttribute(key, value);
      else element.removeAttribute(key);
    }
  };
  places.unobserve(element); // so that it is looked at anew, once it is laid out
  places.observe(element);
}
