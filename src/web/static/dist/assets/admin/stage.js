// One stage.

import { h } from "./h.js";
import { history } from "./history.js";
import { kindForm } from "./kind_form.js";
import { STAGES, ofKind } from "./kinds.js";
import { section, setTitle, tabs } from "./page.js";
import { deletion } from "./remove.js";
import { again, go, href } from "./router.js";

export const title = "Stage";

export async function render(place, { pk, part }) {
  const { kind, object } = await ofKind(STAGES, pk);
  setTitle(object.name);
  place.append(
    tabs(`/stages/${pk}`, [
      ["", "Edit"],
      ["history", "History"],
    ]),
  );
  if (part === "history") {
    place.append(section("Who changed it", await history("stage", pk)));
    return;
  }
  const flows = object.flow_set ?? [];
  const used =
    flows.length === 0
      ? "No flow uses it."
      : [
          "Used by ",
          flows.map((it, index) => [
            index ? ", " : "",
            h("a", { href: href(`/flows/${it.slug}`) }, it.name),
          ]),
          ".",
        ];
  const away = deletion({
    path: `/stages/all/${pk}/`,
    name: object.name,
    to: () => go("/stages"),
  });
  const made = await kindForm({ kind, values: object, saved: again });
  place.append(
    section(kind.name, [h("p", { class: "quiet" }, kind.description, " ", used), made], away),
  );
}
