// The time of an execution from left to right: a mark for each request, true to scale, with longer pauses
// folded. It is a slider, for the keyboard as well.

import { outcome, span } from "./event_shape.js";
import { h } from "./h.js";

/** A pause that is as long, in milliseconds, is folded. */
export const PAUSE = 10_000;
/** How wide a fold is, and how far marks are apart at least and from the edges, in pixels. */
const FOLD = 112;
const APART = 18;
const EDGE = 20;
/** How much room the time of day needs. */
const LABEL = 64;

const clock = (at) =>
  new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Where every moment is, in pixels; `folds` are the pauses between them. */
export function places(moments, width) {
  const gaps = moments.slice(1).map((at, index) => Math.max(0, at - moments[index]));
  const isFold = (gap) => gap >= PAUSE;
  const open = gaps.filter((gap) => !isFold(gap));
  const length = open.reduce((sum, gap) => sum + gap, 0);
  const room = width - 2 * EDGE - gaps.filter(isFold).length * FOLD - open.length * APART;
  const scale = length > 0 ? Math.max(0, room) / length : 0;
  const at = [EDGE];
  const folds = [];
  gaps.forEach((gap, index) => {
    const from = at[index];
    const to = from + (isFold(gap) ? FOLD : APART + gap * scale);
    if (isFold(gap)) folds.push({ from, to, gap });
    at.push(to);
  });
  return { at, folds, width: Math.max(width, at.at(-1) + EDGE) };
}

/**
 * The axis over these steps. `choose(index)` is called with the one that was pointed at;
 * `mark({ step, now, of, text })` says where the cursor is, among so many events.
 */
export function axis(steps, { choose, signal }) {
  const moments = steps.map((it) => Date.parse(it.at));
  const marks = steps.map((step, index) => {
    const { sign, kind } = outcome(step.events);
    const mark = h("span", { class: `mark ${kind}`, title: `${clock(step.at)} ${step.asked}` }, sign);
    mark.dataset.step = index;
    return mark;
  });
  const line = h("div", { class: "line" }, h("span", { class: "rail" }), marks);
  const slider = h(
    "div",
    {
      class: "axis",
      role: "slider",
      tabindex: "0",
      "aria-label": "Event of the execution",
      "aria-valuemin": "1",
      "aria-orientation": "horizontal",
    },
    line,
  );
  let laid = [];

  function lay() {
    const width = slider.clientWidth;
    if (width === 0) return;
    const { at, folds, width: whole } = places(moments, width);
    laid = at;
    line.style.width = `${whole}px`;
    marks.forEach((mark, index) => (mark.style.left = `${at[index]}px`));
    for (const old of line.querySelectorAll(".fold, .clock")) old.remove();
    for (const { from, to, gap } of folds) {
      const fold = h("span", { class: "fold" }, span(gap));
      fold.style.left = `${from + 19}px`;
      fold.style.width = `${to - from - 38}px`;
      line.append(fold);
    }
    const begins = new Set([0, ...folds.map(({ to }) => at.indexOf(to))]);
    if (at.at(-1) - at[Math.max(...begins)] > LABEL * 1.5) begins.add(at.length - 1);
    for (const index of begins) {
      const label = h("span", { class: "clock" }, clock(moments[index]));
      label.style.left = `${at[index]}px`;
      if (at[index] > whole - LABEL) label.classList.add("last");
      line.append(label);
    }
  }

  slider.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const point = (moved) => {
      const x = moved.clientX - line.getBoundingClientRect().left;
      const near = laid.reduce((best, at, index) => (Math.abs(at - x) < Math.abs(laid[best] - x) ? index : best), 0);
      choose(near);
    };
    point(event);
    if (event.pointerType === "touch") return;
    slider.setPointerCapture(event.pointerId);
    const stop = () => slider.removeEventListener("pointermove", point);
    slider.addEventListener("pointermove", point);
    slider.addEventListener("pointerup", stop, { once: true });
    slider.addEventListener("pointercancel", stop, { once: true });
  });
  const watcher = new ResizeObserver(lay);
  watcher.observe(slider);
  signal.addEventListener("abort", () => watcher.disconnect(), { once: true });
  /** Has to be called when another one takes its place. */
  slider.end = () => watcher.disconnect();

  slider.mark = ({ step, now, of, text }) => {
    marks.forEach((mark, index) => mark.classList.toggle("here", index === step));
    slider.setAttribute("aria-valuemax", String(of));
    slider.setAttribute("aria-valuenow", String(now));
    slider.setAttribute("aria-valuetext", `Event ${now} of ${of}: ${text}`);
    const x = laid[step];
    if (x === undefined || slider.scrollWidth <= slider.clientWidth) return;
    if (x < slider.scrollLeft + EDGE || x > slider.scrollLeft + slider.clientWidth - EDGE)
      slider.scrollLeft = x - slider.clientWidth / 2;
  };
  return slider;
}
