// A field with suggestions, from which one or several objects are chosen.

import { fill, h, id } from "./h.js";

const LAZY = 200;

/**
 * `source` has `search(text)` and `named(value)` (see references.js). `value` is what is chosen; with
 * `many` an array. Answers with `{ element, input, read(), onchange }`.
 */
export function pick({
  source,
  value,
  many = false,
  nullable = true,
  inputId,
  describedBy,
  required,
}) {
  const chosen = [];
  const listId = id("options");
  let options = [];
  let active = -1;
  let asked = 0;
  let timer;

  const input = h("input", {
    id: inputId,
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-describedby": describedBy,
    "aria-required": required ? "true" : null,
    placeholder: "Type to search",
  });
  const found = h("ul", {
    id: listId,
    role: "listbox",
    class: "options",
    hidden: true,
    "aria-label": "Suggestions",
  });
  const note = h("p", { class: "quiet", role: "status" });
  const clear = h("button", { type: "button", class: "quiet", hidden: true }, "Clear");
  const chips = h("ul", { class: "chips", "aria-label": "Chosen" });
  const element = h(
    "div",
    { class: "pick" },
    many ? chips : null,
    h("div", { class: "row" }, input, many ? null : clear),
    found,
    note,
  );
  const self = { element, input, onchange: null, read, add: choose, isReady: load() };

  function read() {
    const values = chosen.map((it) => it.value);
    return many ? values : (values[0] ?? null);
  }

  async function load() {
    const values = (many ? value : [value]) ?? [];
    for (const it of values.filter((one) => one !== null && one !== undefined))
      chosen.push({ value: it, label: String(it) });
    draw();
    await Promise.all(
      chosen.map(async (it) => {
        // What may not be read is shown by its key.
        const known = await source.named(it.value).catch(() => null);
        if (known) Object.assign(it, known);
      }),
    );
    draw();
  }

  function draw() {
    if (many) {
      fill(
        chips,
        chosen.map((it) =>
          h(
            "li",
            {},
            it.label,
            " ",
            h(
              "button",
              { type: "button", "aria-label": `Remove ${it.label}`, onclick: () => drop(it) },
              "×",
            ),
          ),
        ),
      );
    } else if (document.activeElement !== input) {
      input.value = chosen[0]?.label ?? "";
    }
    clear.hidden = many || !nullable || chosen.length === 0;
  }

  function drop(it) {
    chosen.splice(chosen.indexOf(it), 1);
    draw();
    input.focus();
    self.onchange?.();
  }

  function choose(option) {
    if (many) {
      if (!chosen.some((it) => it.value === option.value)) chosen.push(option);
      input.value = "";
    } else {
      chosen.splice(0, chosen.length, option);
      input.value = option.label;
    }
    close();
    draw();
    note.textContent = many ? `${option.label} was added.` : "";
    self.onchange?.();
  }

  function close() {
    clearTimeout(timer);
    asked += 1;
    active = -1;
    found.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  async function open(text) {
    const mine = (asked += 1);
    try {
      const answer = await source.search(text);
      if (mine !== asked) return;
      options = answer.options.filter(
        (it) => !many || !chosen.some((one) => one.value === it.value),
      );
      note.textContent =
        options.length === 0
          ? "Nothing found."
          : answer.more > 0
            ? `${answer.more} more: type to find them.`
            : "";
    } catch (error) {
      if (mine !== asked) return;
      options = [];
      note.textContent = error.message;
    }
    active = -1;
    fill(
      found,
      options.map((it, index) =>
        h(
          "li",
          {
            id: `${listId}-${index}`,
            role: "option",
            "aria-selected": String(!many && it.value === chosen[0]?.value),
            onmousedown: (event) => event.preventDefault(),
            onclick: () => choose(it),
          },
          it.label,
          it.hint ? [" ", h("small", {}, it.hint)] : null,
        ),
      ),
    );
    found.hidden = options.length === 0;
    input.setAttribute("aria-expanded", String(!found.hidden));
    input.removeAttribute("aria-activedescendant");
  }

  function move(step) {
    if (found.hidden) {
      open(many ? input.value : "");
      return;
    }
    active = (active + step + options.length) % options.length;
    [...found.children].forEach((it, index) => it.classList.toggle("active", index === active));
    found.children[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", found.children[active].id);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => open(input.value.trim()), LAZY);
  });
  input.addEventListener("click", () => {
    if (!found.hidden) return;
    input.select();
    open(many ? input.value.trim() : "");
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      // Enter never sends the form from here.
      event.preventDefault();
      const only = options.length === 1 && input.value.trim() !== "" ? 0 : -1;
      const at = active >= 0 ? active : only;
      if (!found.hidden && options[at]) choose(options[at]);
    } else if (event.key === "Escape" && !found.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  input.addEventListener("blur", () => {
    close();
    if (!many && nullable && input.value.trim() === "" && chosen.length > 0) {
      chosen.length = 0;
      self.onchange?.();
    }
    note.textContent = "";
    if (!many) input.value = chosen[0]?.label ?? "";
    else input.value = "";
    draw();
  });
  clear.addEventListener("click", () => {
    chosen.length = 0;
    input.value = "";
    input.focus();
    draw();
    self.onchange?.();
  });
  return self;
}
