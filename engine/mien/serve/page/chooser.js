// A row of things of which one is chosen, by arrow keys, too: radio buttons that look like anything.

/**
 * Make the buttons of a radiogroup behave as radio buttons do.
 * @param {HTMLElement} group its children have role=radio and data-value
 * @param {(value: string) => void} chosen
 */
export function setUpChooser(group, chosen) {
  group.addEventListener("click", (event) => {
    const radio = event.target instanceof Element ? event.target.closest("[role=radio]") : null;
    if (radio instanceof HTMLElement && radio.dataset.value !== undefined) pick(radio);
  });
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const radios = radiosOf(group);
    const at = radios.findIndex((one) => one === document.activeElement);
    const next = radios[(at + step + radios.length) % radios.length];
    next?.focus();
    if (next) pick(next);
  });
  /** @param {HTMLElement} radio */
  function pick(radio) {
    const value = radio.dataset.value ?? "";
    show(group, value);
    chosen(value);
  }
}

/** @param {HTMLElement} group */
const radiosOf = (group) => /** @type {HTMLElement[]} */ ([...group.querySelectorAll("[role=radio]")]);

/** Show which one is chosen, without telling anybody. @param {HTMLElement} group @param {string | null} value */
export function show(group, value) {
  const radios = radiosOf(group);
  const known = radios.some((radio) => radio.dataset.value === value);
  radios.forEach((radio, number) => {
    const is = radio.dataset.value === value;
    radio.setAttribute("aria-checked", String(is));
    radio.tabIndex = is || (!known && number === 0) ? 0 : -1;
  });
}
