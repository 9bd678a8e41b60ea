// How an event is shown wherever it is: its shape and colour, its sentence with people by their names, its
// moment, and how long something took.

import { h } from "./h.js";
import { person } from "./people.js";

const GOOD = new Set([
  "stage_completed",
  "password_verified",
  "mfa_verified",
  "session_started",
  "completed",
  "link_consumed",
  "device_enrolled",
  "consent_granted",
  "user_identified",
]);
const BAD = new Set([
  "denied",
  "password_rejected",
  "response_rejected",
  "mfa_rejected",
  "stage_failed",
  "policy_failed",
  "expression_failed",
  "configuration_error",
  "refused",
  "effect_outcome_unknown",
  "mail_withheld",
]);
const WAIT = new Set([
  "suspended",
  "effect_requested",
  "effect_finished",
  "resumed",
  "timer_set",
  "timer_fired",
  "wait_abandoned",
  "push_sent",
  "mfa_challenged",
  "link_issued",
  "link_opened",
]);
const SKIP = new Set(["stage_skipped", "cancelled", "expired", "restarted"]);

const NEUTRAL = { sign: "•", kind: "", said: "" };

/** The sign, the class and the word of an event: no colour says anything alone. */
export function shape({ kind, details, lines }) {
  if (kind === "engine_decided" || kind === "policy_evaluated")
    return details.passing
      ? { sign: "✓", kind: "good", said: "well" }
      : { sign: "✕", kind: "bad", said: "not passed" };
  if (kind === "user_identified" && !details.user)
    return { sign: "✕", kind: "bad", said: "not found" };
  if (kind === "response_rejected" && lines[0]?.startsWith("the visitor chose")) return NEUTRAL;
  if (GOOD.has(kind)) return { sign: "✓", kind: "good", said: "well" };
  if (BAD.has(kind)) return { sign: "✕", kind: "bad", said: "trouble" };
  if (WAIT.has(kind)) return { sign: "◔", kind: "wait", said: "wait" };
  if (SKIP.has(kind)) return { sign: "⊘", kind: "gone", said: "left out or given up" };
  return NEUTRAL;
}

const RANK = ["bad", "good", "wait", "gone", ""];

/** The shape of a request: that of the event in it that matters most. */
export function outcome(events) {
  const all = events.map(shape);
  // What went wrong first and right in the end is told by the end.
  const last = all.findLast((it) => it.kind === "bad" || it.kind === "good");
  return last ?? RANK.map((kind) => all.find((it) => it.kind === kind)).find(Boolean) ?? NEUTRAL;
}

const ID = /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/;

/**
 * A sentence in which people are called by their names, with the way to them where there may be links, and
 * other identifiers are short.
 */
export function named(text, people, hasLinks = true) {
  return String(text)
    .split(ID)
    .map((part) => {
      const known = people?.[part];
      if (!known) return ID.test(part) ? h("code", { title: part }, `${part.slice(0, 8)}…`) : part;
      return hasLinks ? person(known) : h("strong", { title: part }, known.username);
    });
}

/** The time of day, to the millisecond. */
export function time(text) {
  const at = new Date(text);
  const shown = at.toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
  return h("time", { class: "quiet", datetime: text, title: text }, shown);
}

const PARTS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** So many milliseconds, as people say it: the two largest parts of it. */
export function span(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  const at = PARTS.findIndex(([size]) => seconds >= size);
  if (at < 0) return "a moment";
  const [size, name] = PARTS[at];
  const [smaller, its] = PARTS[at + 1] ?? [];
  const rest = smaller ? Math.floor((seconds % size) / smaller) : 0;
  return `${Math.floor(seconds / size)} ${name}${rest ? ` ${rest} ${its}` : ""}`;
}
