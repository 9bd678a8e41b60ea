// A new policy.

import { kindPage } from "./kind_page.js";
import { POLICIES } from "./kinds.js";

export const title = "New policy";

export const render = (place, { model }) => kindPage(place, POLICIES, model);
