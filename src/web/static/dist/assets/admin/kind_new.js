// A stage or a policy that is made while something else is being done.

import { dialog } from "./dialog.js";
import { fill, h } from "./h.js";
import { kindCards, kindForm } from "./kind_form.js";
import { kinds } from "./kinds.js";

/** Asks for a kind and then for what it is, in a dialog; answers with the object, or nothing. */
export async function makeNew(family, { title, submit, said }) {
  const content = h("div");
  const known = await kinds(family);
  let made;
  let open;
  const choose = () => {
    made = null;
    fill(
      content,
      h("p", {}, `Which kind of ${family.name}?`),
      kindCards(known, (kind) => () => show(kind)),
    );
    content.querySelector("button")?.focus();
  };
  const show = async (kind) => {
    const back = h(
      "button",
      { type: "button", onclick: async () => (await made.mayClose()) && choose() },
      "Another kind",
    );
    made = await kindForm({
      kind,
      submit,
      said,
      cancel: back,
      saved: (object) => open.close(object),
    });
    fill(content, h("h3", {}, kind.name), h("p", { class: "quiet" }, kind.description), made);
    made.querySelector("input, textarea, select")?.focus();
  };
  choose();
  open = dialog({ title, content, wide: true, mayClose: () => !made || made.mayClose() });
  return open.closed;
}

/** A button below the field `name` of a form, with which an object is made and chosen at once. */
export function besides(form, name, text, make) {
  const at = form.field(name);
  const press = h("button", { type: "button", class: "quiet" }, text);
  press.addEventListener("click", async () => {
    const object = await make();
    if (object) at.pick.add({ value: object.pk, label: object.name });
    press.focus();
  });
  at.element.append(press);
}
