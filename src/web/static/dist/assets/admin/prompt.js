// One prompt.

import { get } from "./api.js";
import { h } from "./h.js";
import { history } from "./history.js";
import { section, setTitle, tabs } from "./page.js";
import { promptForm } from "./prompt_form.js";
import { deletion } from "./remove.js";
import { again, go, href } from "./router.js";

export const title = "Prompt";

export async function render(place, { pk, part }) {
  const path = `/stages/prompt/prompts/${pk}/`;
  const prompt = await get(path);
  setTitle(prompt.name);
  place.append(
    tabs(`/prompts/${pk}`, [
      ["", "Edit"],
      ["history", "History"],
    ]),
  );
  if (part === "history") {
    place.append(section("Who changed it", await history("prompt", pk)));
    return;
  }
  const stages = prompt.prompt_stages_obj;
  const used =
    stages.length === 0
      ? "No stage asks it."
      : [
          "Asked by ",
          stages.map((it, index) => [
            index ? ", " : "",
            h("a", { href: href(`/stages/${it.pk}`) }, it.name),
          ]),
          ".",
        ];
  const away = deletion({ path, name: prompt.name, to: () => go("/prompts") });
  place.append(
    section(
      "Prompt",
      [h("p", { class: "quiet" }, used), await promptForm({ values: prompt, saved: again })],
      away,
    ),
  );
}
