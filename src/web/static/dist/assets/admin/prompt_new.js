// A new prompt.

import { h } from "./h.js";
import { button } from "./page.js";
import { promptForm } from "./prompt_form.js";
import { go, href } from "./router.js";

export const title = "New prompt";

export async function render(place) {
  const cancel = button("Cancel", href("/prompts"));
  place.append(
    h("section", {}, await promptForm({ cancel, saved: (prompt) => go(`/prompts/${prompt.pk}`) })),
  );
}
