// The form of a prompt.

import { create, update } from "./api.js";
import { dialog } from "./dialog.js";
import { form } from "./form.js";
import { mayAt } from "./may.js";
import { looks } from "./prompt_look.js";

const PATH = "/stages/prompt/prompts/";

const NAMES = [
  "name",
  "field_key",
  "label",
  "type",
  "required",
  "placeholder",
  "placeholder_expression",
  "initial_value",
  "initial_value_expression",
  "sub_text",
  "order",
];

/** A form for a prompt; with `values` one that there is. */
export async function promptForm({ values, saved, cancel }) {
  const made = await form({
    schema: "PromptRequest",
    values,
    fields: {
      name: { hint: "What operators call it." },
      field_key: {
        hint: "Under which name the answer is known, such as username, email or attributes.city.",
      },
      label: { hint: "What stands above the field." },
      required: { label: "Has to be answered" },
      placeholder: {
        kind: "long",
        hint: "What stands in the empty field. Of a choice, its options: as a text, that is a single one. For several, tick “The placeholder is an expression” and have it return a list, such as return [\"Berlin\", \"Rome\"].",
      },
      placeholder_expression: { label: "The placeholder is an expression" },
      initial_value: { kind: "long", hint: "What stands in the field at first." },
      initial_value_expression: { label: "The initial value is an expression" },
      sub_text: { kind: "long", hint: "What stands below the field." },
      order: { hint: "Lower numbers come first.", value: 0 },
    },
    order: NAMES,
    cancel,
    isShownOnly: Boolean(values) && !mayAt("change", PATH),
    said: values ? "Saved." : "The prompt was created.",
    save: (body) => (values ? update(`${PATH}${values.pk}/`, body) : create(PATH, body)),
    saved,
    more: mayAt(values ? "change" : "add", PATH)
      ? looks(() => Object.fromEntries(NAMES.map((it) => [it, made.field(it).read() ?? ""])))
      : null,
  });
  return made;
}

/** Makes a prompt in a dialog; answers with it, or nothing. */
export async function newPrompt() {
  let open;
  const made = await promptForm({ saved: (prompt) => open.close(prompt) });
  open = dialog({ title: "New prompt", content: made, mayClose: made.mayClose });
  return open.closed;
}
