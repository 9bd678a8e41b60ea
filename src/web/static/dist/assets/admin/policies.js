// All policies.

import { kindList } from "./kind_list.js";
import { POLICIES } from "./kinds.js";

export const title = "Policies";

export function render(place) {
  kindList(place, {
    family: POLICIES,
    caption: "Policies",
    last: {
      name: "Asked by",
      of: (it) =>
        it.bound_to === 0 ? "nothing" : `${it.bound_to} ${it.bound_to === 1 ? "place" : "places"}`,
    },
  });
}
