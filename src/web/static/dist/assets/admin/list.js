// Lists: searched, sorted, filtered and paged by the API. What is asked stands in the address.

import { list as load } from "./api.js";
import { fill, h, id } from "./h.js";
import { query, setQuery } from "./router.js";

const LAZY = 250;
const SIZES = [20, 50, 100];

/**
 * A list of the API.
 *
 * - `path`, `query`: what is listed, and what is always asked.
 * - `columns`: `{ name, of(object), sort }`; `of` gives text or elements, `sort` is the API's name for
 *   the order. The first one names its row.
 * - `filters`: `{ name, label, options }`; options are values or `[value, text]`. Without options it is
 *   a field for text.
 * - `search`: false where the API does not search. `ordering`: the order at first.
 * - `actions(object)`: elements at the end of a row. `empty`: said when there is nothing.
 * - `isLocal`: keeps what is asked out of the address, for a list among others on a page.
 * - `caption`: what the table is, for screen readers.
 *
 * Answers with an element that has `refresh()`, which resolves when it is shown.
 */
export function list(set) {
  const filters = set.filters ?? [];
  const asked = set.isLocal ? {} : query();
  const state = {
    search: asked.search ?? "",
    page: Number(asked.page) || 1,
    page_size: Number(asked.page_size) || SIZES[0],
    ordering: asked.ordering ?? set.ordering ?? "",
  };
  for (const it of filters) state[it.name] = asked[it.name] ?? "";
  const status = h("p", { class: "quiet", role: "status" });
  const place = h("div", {
    class: "table",
    tabindex: "0",
    role: "region",
    "aria-label": set.caption ?? "List",
  });
  const pages = h("nav", { class: "pages", "aria-label": "Pages" });
  let turn = 0;
  let timer;

  const search =
    set.search === false
      ? null
      : control("search", "Search", h("input", { type: "search", autocomplete: "off" }));
  const controls = filters.map((it) =>
    control(
      it.name,
      it.label,
      it.options ? select(it) : h("input", { type: "text", autocomplete: "off" }),
    ),
  );
  const element = h(
    "section",
    { class: "list" },
    h(
      "div",
      { class: "filters", role: "search", "aria-label": set.caption ?? "List" },
      search,
      controls,
    ),
    status,
    place,
    pages,
  );

  function select(it) {
    const options = it.options.map((one) => (Array.isArray(one) ? one : [one, String(one)]));
    return h(
      "select",
      {},
      h("option", { value: "" }, "All"),
      options.map(([value, text]) => h("option", { value }, text)),
    );
  }

  function control(name, label, input) {
    input.id = id("filter");
    input.value = state[name];
    input.addEventListener(input.tagName === "SELECT" ? "change" : "input", () => {
      clearTimeout(timer);
      timer = setTimeout(
        () => ask({ [name]: input.value.trim(), page: 1 }),
        input.tagName === "SELECT" ? 0 : LAZY,
      );
    });
    return h("div", { class: "filter" }, h("label", { for: input.id }, label), input);
  }

  function ask(changes) {
    Object.assign(state, changes);
    if (!set.isLocal) {
      const kept = {
        ...state,
        page: state.page > 1 ? state.page : "",
        page_size: state.page_size === SIZES[0] ? "" : state.page_size,
      };
      if (kept.ordering === (set.ordering ?? "")) kept.ordering = "";
      setQuery(kept);
    }
    return element.refresh();
  }

  element.refresh = async () => {
    const mine = (turn += 1);
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await load(set.path, { ...set.query, ...state });
      if (mine !== turn) return;
      draw(answer);
    } catch (error) {
      if (mine !== turn) return;
      if (error.status === 404 && state.page > 1) {
        await ask({ page: 1 });
        return;
      }
      status.textContent = "";
      fill(
        place,
        h("p", { class: "alert", role: "alert" }, error.detail ?? error.message),
        error.status === 403
          ? null
          : h("p", {}, h("button", { type: "button", onclick: element.refresh }, "Try again")),
      );
    } finally {
      if (mine === turn) place.removeAttribute("aria-busy");
    }
  };

  function draw({ results, pagination }) {
    const { count, start_index: from, end_index: to } = pagination;
    status.textContent = count === 0 ? "" : `${from}–${to} of ${count}`;
    const isAsked = state.search || filters.some((it) => state[it.name]);
    if (results.length === 0) {
      fill(
        place,
        h(
          "p",
          { class: "empty" },
          isAsked ? "Nothing fits what you look for." : (set.empty ?? "There is nothing yet."),
        ),
      );
      status.textContent = isAsked ? "Nothing found" : "";
      fill(pages);
      return;
    }
    fill(
      place,
      table({
        caption: set.caption,
        columns: set.columns,
        rows: results,
        actions: set.actions,
        ordering: state.ordering,
        order: (ordering) => ask({ ordering, page: 1 }).then(focusSorted),
      }),
    );
    drawPages(pagination);
  }

  function focusSorted() {
    place.querySelector("th[aria-sort] button")?.focus();
  }

  function drawPages({ current, total_pages: total, next, previous }) {
    const step = (text, page) =>
      h(
        "button",
        { type: "button", disabled: !page, onclick: () => ask({ page }).then(() => place.focus()) },
        text,
      );
    const size = h(
      "select",
      { "aria-label": "Rows on a page" },
      SIZES.map((it) => h("option", { value: it, selected: it === state.page_size }, `${it} rows`)),
    );
    size.addEventListener("change", () => ask({ page_size: Number(size.value), page: 1 }));
    if (total <= 1 && state.page_size === SIZES[0]) fill(pages);
    else
      fill(
        pages,
        step("Previous", previous),
        h("span", {}, `Page ${current} of ${total}`),
        step("Next", next),
        size,
      );
  }

  element.refresh();
  return element;
}

/** A table of these rows; without `order` its columns cannot be sorted. At small widths each row is a card. */
export function table({ caption, columns, rows, actions, ordering, order }) {
  const head = columns.map((it) => {
    if (!it.sort || !order) return h("th", { scope: "col" }, it.name);
    const isUp = ordering === it.sort;
    const isDown = ordering === `-${it.sort}`;
    const sign = h("span", { "aria-hidden": "true" }, isUp ? " ▲" : isDown ? " ▼" : "");
    const press = h(
      "button",
      { type: "button", class: "sort", onclick: () => order(isUp ? `-${it.sort}` : it.sort) },
      it.name,
      sign,
    );
    return h(
      "th",
      { scope: "col", "aria-sort": isUp ? "ascending" : isDown ? "descending" : null },
      press,
    );
  });
  if (actions) head.push(h("th", { scope: "col" }, h("span", { class: "offscreen" }, "Actions")));
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      columns.map((it, index) => {
        const content = it.of(row);
        return index === 0
          ? h("th", { scope: "row" }, content)
          : h("td", { "data-name": it.name }, content ?? "—");
      }),
      actions ? h("td", { class: "actions" }, actions(row)) : null,
    ),
  );
  return h(
    "table",
    {},
    caption ? h("caption", { class: "offscreen" }, caption) : null,
    h("thead", {}, h("tr", {}, head)),
    h("tbody", {}, body),
  );
}
