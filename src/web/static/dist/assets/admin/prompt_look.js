// What a prompt would look like to a visitor, before it is kept.

import { create } from "./api.js";
import { fill, h, id } from "./h.js";
import { action, failure } from "./page.js";

const PATH = "/stages/prompt/prompts/preview/";

/** A button and the place below it; `read()` gives what the form holds. */
export function looks(read) {
  const place = h("div", { role: "status" });
  const look = action("Show how it looks", async () => {
    try {
      const { fields } = await create(PATH, read());
      fill(place, h("div", { class: "looks" }, fields.map(shown)));
    } catch (error) {
      const { fields, general } = error;
      const told = Object.entries(fields ?? {}).map(([, texts]) => texts.join(" "));
      const detail = [...(general ?? []), ...told].join(" ") || error.message;
      fill(place, failure({ detail }));
    }
  });
  return h("div", { class: "field" }, look, place);
}

/** A field as the page of a flow has it, which sends nothing. */
function shown(field) {
  const own = id("look");
  const below = field.sub_text ? h("p", { class: "hint" }, field.sub_text) : null;
  const value = field.initial_value ?? "";
  const label = h("label", { for: own }, field.label);
  const choices = (field.choices ?? []).map((it) =>
    typeof it === "object" && it !== null ? it : { value: it, label: it },
  );
  switch (field.type) {
    case "hidden":
      return h("p", { class: "quiet" }, `Visitors do not see it. It sends “${value}”.`);
    case "separator":
      return h("hr", {});
    case "static":
      return h("div", { class: "field" }, h("p", {}, value), below);
    case "alert_info":
    case "alert_warning":
    case "alert_danger":
      return h("p", { class: field.type === "alert_danger" ? "alert" : "notice" }, value);
    case "checkbox":
      return h(
        "div",
        { class: "field" },
        h(
          "label",
          { class: "option" },
          h("input", { type: "checkbox", checked: value === true || value === "true" }),
          field.label,
        ),
        below,
      );
    case "radio-button-group":
      return h(
        "fieldset",
        { class: "field" },
        h("legend", {}, field.label),
        choices.map((it) =>
          h(
            "label",
            { class: "option" },
            h("input", { type: "radio", name: own, checked: String(it.value) === String(value) }),
            String(it.label),
          ),
        ),
        below,
      );
    case "dropdown":
    case "ak-locale": {
      const options = choices.map((it) => h("option", { value: it.value }, String(it.label)));
      const control = h("select", { id: own }, options);
      if (value !== "") control.value = value;
      return h("div", { class: "field" }, label, control, below);
    }
    case "text_area":
    case "text_area_read_only": {
      const isFixed = field.type === "text_area_read_only";
      const control = h("textarea", { id: own, rows: 3, placeholder: field.placeholder, readonly: isFixed });
      control.value = value;
      return h("div", { class: "field" }, label, control, below);
    }
    default: {
      const control = h("input", {
        id: own,
        type: INPUTS[field.type] ?? "text",
        placeholder: field.placeholder,
        readonly: field.type === "text_read_only",
        autocomplete: "off",
      });
      control.value = value;
      return h("div", { class: "field" }, label, control, below);
    }
  }
}

const INPUTS = {
  email: "email",
  password: "password",
  number: "number",
  date: "date",
  "date-time": "datetime-local",
  file: "text",
};
