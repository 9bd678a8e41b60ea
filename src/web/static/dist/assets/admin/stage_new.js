// A new stage.

import { kindPage } from "./kind_page.js";
import { STAGES } from "./kinds.js";

export const title = "New stage";

export const render = (place, { model }) => kindPage(place, STAGES, model);
