// The console: navigation at the side, one page at a time beside it.

import { prepare } from "./announce.js";
import { add, fill, h } from "./h.js";
import { complain, failure, setTitle } from "./page.js";
import { href, path, start } from "./router.js";
import { navigation, routes } from "./routes.js";
import { watch } from "./session.js";

const main = document.getElementById("main");
const menu = document.getElementById("menu");
const aside = document.getElementById("navigation");

function drawNavigation() {
  fill(
    aside,
    navigation.map(({ name, pages }) => {
      const offered = pages.filter(([, , isOffered]) => isOffered());
      if (offered.length === 0) return null;
      const links = offered.map(([to, text]) => h("li", {}, h("a", { href: href(to) }, text)));
      return h("div", { class: "group" }, h("h2", {}, name), h("ul", {}, links));
    }),
  );
}

/** Marks where in the navigation the page is. */
function mark() {
  const at = path();
  for (const link of aside.querySelectorAll("a")) {
    const to = link.pathname.slice(href("").length);
    const isHere = to === "/" ? at === "/" : at === to || at.startsWith(`${to}/`);
    if (isHere) link.setAttribute("aria-current", at === to ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
}

function setMenu(isOpen) {
  document.body.classList.toggle("menu", isOpen);
  menu.setAttribute("aria-expanded", String(isOpen));
}

let leaving;

/** Shows a page. `isNew` is false for the first one and for one that is shown again. */
async function show({ route, params }, isNew) {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  setMenu(false);
  mark();
  const place = h("div", { class: "page" });
  const heading = h("h1", { tabindex: "-1" }, "…");
  main.setAttribute("aria-busy", "true");
  fill(main, heading, place);
  if (isNew) window.scrollTo(0, 0);
  try {
    if (!route) {
      setTitle("Page not found");
      add(
        place,
        h(
          "p",
          {},
          "The console has no page at this address. ",
          h("a", { href: href("/") }, "Go to its start."),
        ),
      );
    } else {
      const page = await route.page().catch(outdated);
      if (signal.aborted) return;
      setTitle(typeof page.title === "function" ? page.title(params) : page.title);
      if (isNew) heading.focus();
      await page.render(place, { ...params, signal });
    }
  } catch (error) {
    if (signal.aborted || error.name === "AbortError") return;
    if (!error.status && !error.isTold) console.error(error);
    if (heading.textContent === "…") setTitle("This page cannot be shown");
    add(place, failure(error));
  } finally {
    if (!signal.aborted) main.removeAttribute("aria-busy");
  }
}

/** Either the server is away, or the files of this version are gone since another one runs now. */
async function outdated() {
  const isThere = await fetch("/-/health/live/", { cache: "no-store" }).then(
    (answer) => answer.ok,
    () => false,
  );
  const error = new Error(
    isThere
      ? "This part of the console cannot be loaded. If the server was updated, reload the page."
      : "The server cannot be reached. Try again in a moment.",
  );
  error.isTold = true;
  throw error;
}

menu.addEventListener("click", () => setMenu(menu.getAttribute("aria-expanded") !== "true"));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("menu")) {
    setMenu(false);
    menu.focus();
  }
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.querySelector("h1")?.focus();
});

window.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  complain(event.reason);
});

prepare();
drawNavigation();
watch();
start(routes, show);
