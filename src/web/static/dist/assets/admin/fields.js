// The fields of a form: each is made from the shape of a property, and reads itself back.

import { CODE_HINT, code } from "./code.js";
import { h, id, prose, words } from "./h.js";
import { pick } from "./pick.js";
import { REFERENCES, objects, wordsOf } from "./references.js";

/** What was typed is nothing that could be sent. */
export class Unreadable extends Error {}

const LONG = /expression|sub_text|description|content|body|custom_css|query|definition/;
const EXPRESSION = /expression$|^custom_css$|branding_custom_css/;
const DURATION = /^(weeks|days|hours|minutes|seconds|milliseconds|microseconds)=/;
const FEW = 12;

/**
 * One field. `shape` comes from schema.js, `set` is what the page says of it: `label`, `hint`,
 * `value`, `kind` (another than the shape's; also `code` and `long`), `options` (with the kind `choice`), `reference`, `names` (texts of the
 * options by value), `placeholder`, `isNew`, `required`. Answers with `{ name, element, read(), error(texts), focus() }`.
 */
export function field(name, given, set) {
  const shape = set.options ? { ...given, options: set.options } : given;
  const own = id("field");
  const label = set.label ?? words(name);
  const kind =
    set.kind ??
    (REFERENCES[name] && ["integer", "lines"].includes(shape.kind) && !set.plain
      ? shape.kind === "lines"
        ? "references"
        : "reference"
      : shape.kind);
  const made = {
    ...(KINDS[kind] ?? KINDS.text)({
      name,
      own,
      label,
      shape,
      set,
      describedBy: `${own}-hint ${own}-error`,
    }),
  };
  const hint = [set.hint ?? shape.description, made.hint].filter(Boolean).join(" ");
  const problem = h("p", { class: "problem", id: `${own}-error`, hidden: true });
  const said = h("p", { class: "hint", id: `${own}-hint` }, prose(hint));
  const mark = set.required ? h("span", { class: "required" }, " (required)") : null;
  let element;
  if (made.group)
    element = h(
      "fieldset",
      { class: "field", "aria-describedby": `${own}-hint ${own}-error` },
      h("legend", {}, label, mark),
      hint ? said : null,
      made.control,
      problem,
    );
  else if (made.isBeside)
    element = h(
      "div",
      { class: "field" },
      h("label", { class: "option", for: own }, made.control, label),
      hint ? said : null,
      problem,
    );
  else
    element = h(
      "div",
      { class: "field" },
      h("label", { for: own }, label, mark),
      hint ? said : null,
      made.control,
      problem,
    );
  const focused = made.focused ?? made.control;
  return {
    name,
    label,
    element,
    control: focused,
    pick: made.pick,
    isReady: made.isReady,
    read: made.read,
    focus: () => focused.focus(),
    error(texts) {
      problem.textContent = (texts ?? []).join(" ");
      problem.hidden = !texts;
      if (texts) focused.setAttribute("aria-invalid", "true");
      else focused.removeAttribute("aria-invalid");
    },
  };
}

const start = ({ shape, set }) => (set.value !== undefined ? set.value : shape.default);

function line(it, type, more) {
  const control = h("input", {
    id: it.own,
    name: it.name,
    type,
    "aria-describedby": it.describedBy,
    "aria-required": it.set.required ? "true" : null,
    autocomplete: "off",
    placeholder: it.set.placeholder,
    maxlength: it.shape.maxLength,
    ...more,
  });
  control.value = start(it) ?? "";
  return control;
}

/** What an empty field stands for. */
const empty = ({ shape, set }) => (shape.nullable ? null : set.isNew ? undefined : "");

const KINDS = {
  text(it) {
    if (it.set.kind === undefined && EXPRESSION.test(it.name) && it.shape.kind === "text")
      return KINDS.code(it);
    if (it.set.kind === undefined && LONG.test(it.name)) return KINDS.long(it);
    const value = start(it);
    const control = line(it, it.shape.format === "email" ? "email" : "text", {
      spellcheck: "false",
    });
    const hint = DURATION.test(value ?? "")
      ? "A duration such as minutes=30, hours=1;minutes=30 or days=7."
      : null;
    return { control, hint, read: () => (control.value === "" ? empty(it) : control.value) };
  },
  long(it) {
    const control = h("textarea", {
      id: it.own,
      name: it.name,
      rows: 4,
      "aria-describedby": it.describedBy,
    });
    control.value = start(it) ?? "";
    return { control, read: () => (control.value === "" ? empty(it) : control.value) };
  },
  code(it) {
    const control = code(
      {
        id: it.own,
        name: it.name,
        "aria-describedby": it.describedBy,
        "aria-required": it.set.required ? "true" : null,
      },
      start(it),
    );
    return {
      control,
      hint: CODE_HINT,
      read: () => (control.value === "" ? empty(it) : control.value),
    };
  },
  secret(it) {
    const control = line(it, "password", { autocomplete: "new-password" });
    control.value = "";
    const hint = it.set.isNew ? null : "It is never shown. Leave it empty to keep what there is.";
    return { control, hint, read: () => (control.value === "" ? undefined : control.value) };
  },
  integer: (it) => number(it, 1),
  number: (it) => number(it, "any"),
  boolean(it) {
    const control = h("input", {
      id: it.own,
      name: it.name,
      type: "checkbox",
      checked: start(it) === true,
      "aria-describedby": it.describedBy,
    });
    return { control, isBeside: true, read: () => control.checked };
  },
  choice(it) {
    const value = start(it);
    const none = it.shape.nullable || (value === undefined && !it.set.required);
    const options = it.shape.options.map((option) =>
      h("option", { value: option }, it.set.names?.[option] ?? words(option)),
    );
    const first =
      none || value === undefined ? [h("option", { value: "" }, none ? "—" : "Choose …")] : [];
    const control = h(
      "select",
      {
        id: it.own,
        name: it.name,
        "aria-describedby": it.describedBy,
        "aria-required": it.set.required ? "true" : null,
      },
      first,
      options,
    );
    control.value = value ?? "";
    const typed = (text) => it.shape.options.find((option) => String(option) === text);
    return {
      control,
      read: () =>
        control.value === "" ? (it.shape.nullable ? null : undefined) : typed(control.value),
    };
  },
  choices(it) {
    const value = start(it) ?? [];
    const label = (option) =>
      it.set.names?.[option] ?? (it.shape.options.length > FEW ? option : words(option));
    if (it.shape.options.length > FEW) return picked(it, wordsOf(it.shape.options, label), true);
    const boxes = it.shape.options.map((option) =>
      h("input", {
        type: "checkbox",
        name: it.name,
        value: option,
        checked: value.includes(option),
      }),
    );
    const control = h(
      "div",
      { class: "boxes" },
      boxes.map((box, index) =>
        h("label", { class: "option" }, box, label(it.shape.options[index])),
      ),
    );
    // What was chosen before keeps its order, which often counts.
    const read = () => {
      const now = boxes.filter((box) => box.checked).map((box) => box.value);
      return [
        ...value.filter((one) => now.includes(one)),
        ...now.filter((one) => !value.includes(one)),
      ];
    };
    return { control, group: true, focused: boxes[0], read };
  },
  reference(it) {
    const reference = it.set.reference ?? REFERENCES[it.name];
    return reference
      ? picked(it, objects(reference), false)
      : KINDS.text({ ...it, set: { ...it.set, kind: "text" } });
  },
  references(it) {
    const reference = it.set.reference ?? REFERENCES[it.name];
    return reference ? picked(it, objects(reference), true) : KINDS.lines(it);
  },
  moment(it) {
    const value = start(it);
    const control = line(it, "datetime-local", { step: 1 });
    const local = value ? new Date(value) : null;
    if (local)
      control.value = new Date(local.getTime() - local.getTimezoneOffset() * 60000)
        .toISOString()
        .slice(0, 19);
    return {
      control,
      read: () =>
        control.value === ""
          ? it.shape.nullable
            ? null
            : undefined
          : new Date(control.value).toISOString(),
    };
  },
  object(it) {
    const value = start(it);
    const shown = value === undefined || value === null ? "" : JSON.stringify(value, null, 2);
    const control = code(
      { id: it.own, name: it.name, rows: 6, "aria-describedby": it.describedBy },
      shown,
    );
    const read = () => {
      if (control.value.trim() === "")
        return it.shape.nullable ? null : it.set.isNew ? undefined : {};
      try {
        return JSON.parse(control.value);
      } catch (error) {
        throw new Unreadable(`This is no JSON: ${error.message}`);
      }
    };
    return { control, hint: `JSON, such as {"key": "value"}. ${CODE_HINT}`, read };
  },
  lines(it) {
    const control = h("textarea", {
      id: it.own,
      name: it.name,
      rows: 4,
      "aria-describedby": it.describedBy,
      spellcheck: "false",
    });
    control.value = (start(it) ?? []).join("\n");
    const isNumber = ["integer", "number"].includes(it.shape.items?.kind);
    const read = () =>
      control.value
        .split("\n")
        .map((text) => text.trim())
        .filter(Boolean)
        .map((text) => {
          if (!isNumber) return text;
          if (!/^-?\d+$/.test(text)) throw new Unreadable(`“${text}” is no number.`);
          return Number(text);
        });
    return { control, hint: "One on each line.", read };
  },
};

function number(it, step) {
  const control = line(it, "text", { inputmode: step === 1 ? "numeric" : "decimal" });
  const read = () => {
    const text = control.value.trim();
    if (text === "") return it.shape.nullable ? null : undefined;
    const value = Number(text);
    if (!Number.isFinite(value) || (step === 1 && !Number.isInteger(value)))
      throw new Unreadable("This has to be a number.");
    return value;
  };
  return { control, read };
}

function picked(it, source, many) {
  const made = pick({
    source,
    value: start(it),
    many,
    nullable: it.shape.nullable || it.set.isNew,
    inputId: it.own,
    describedBy: it.describedBy,
    required: it.set.required,
  });
  // What has to be there and is not chosen is missing, not null.
  const read = () => made.read() ?? (it.shape.nullable ? null : undefined);
  return { control: made.element, focused: made.input, pick: made, isReady: made.isReady, read };
}
