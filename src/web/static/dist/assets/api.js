// Shows the description of the API: by group, with a search, and the schemas of what an operation
// takes and answers. Loads nothing but the description, and asks the API nothing.
"use strict";

(async () => {
    const METHODS = ["get", "post", "put", "patch", "delete"];
    const main = document.getElementById("operations");

    /** An element with attributes and content; a text stays a text. */
    function element(name, attributes = {}, ...content) {
        const made = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
        made.append(...content.filter((it) => it !== null));
        return made;
    }

    let description;
    try {
        const answer = await fetch(main.dataset.description);
        if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
        description = await answer.json();
    } catch (error) {
        main.append(element("p", { role: "alert" }, `The description could not be loaded: ${error.message}`));
        return;
    }

    /** What a reference leads to. */
    function follow(it) {
        if (!it || !it.$ref) return it;
        return it.$ref.slice(2).split("/").reduce((inside, key) => inside?.[key], description);
    }

    const nameOf = (reference) => reference.split("/").at(-1);

    /** Whether a schema is a few words to choose from, which are shown where they are meant. */
    const isShort = (schema) => schema?.enum !== undefined && schema.enum.length <= 12;

    /** A schema in a word or two. */
    function brief(schema) {
        if (!schema) return "anything";
        if (schema.$ref) return isShort(follow(schema)) ? brief(follow(schema)) : nameOf(schema.$ref);
        if (schema.enum) return schema.enum.map((it) => JSON.stringify(it)).join(" | ");
        if (schema.allOf?.length === 1) return brief(schema.allOf[0]);
        const choices = schema.oneOf ?? schema.anyOf;
        if (choices) return choices.map(brief).join(" | ");
        if (schema.type === "array") return `list of ${brief(schema.items)}`;
        const types = [schema.type ?? "anything"].flat().join(" or ");
        return schema.format ? `${types} (${schema.format})` : types;
    }

    /** The references in a schema, down to the next objects. */
    function references(schema) {
        if (!schema || typeof schema !== "object") return [];
        if (schema.$ref) return isShort(follow(schema)) ? [] : [schema.$ref];
        return [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? []), schema.items, schema.additionalProperties].flatMap(references);
    }

    /** Further schemas, which are made when they are opened: some hold themselves. */
    function further(schema) {
        const found = [...new Set(references(schema))];
        return found.map((reference) => {
            const details = element("details", {}, element("summary", {}, nameOf(reference)));
            details.addEventListener("toggle", () => details.append(members(follow({ $ref: reference }))), { once: true });
            return details;
        });
    }

    /** The members of an object, or what else there is to say of a schema. */
    function members(schema) {
        const list = element("ul", { class: "members" });
        for (const [name, member] of Object.entries(schema?.properties ?? {})) {
            const required = schema.required?.includes(name);
            list.append(
                element(
                    "li",
                    {},
                    element("code", {}, name),
                    " ",
                    element("span", { class: "type" }, brief(member)),
                    required ? element("span", { class: "required" }, " required") : null,
                    member.description ? element("p", {}, member.description) : null,
                    ...further(member),
                ),
            );
        }
        if (!list.childElementCount) {
            list.append(element("li", {}, element("span", { class: "type" }, brief(schema)), ...further(schema)));
        }
        return list;
    }

    /** What a body or an answer holds, by media type. */
    function content(of) {
        const found = Object.entries(of?.content ?? {});
        if (!found.length) return [element("p", { class: "type" }, of?.description || "nothing")];
        return found.flatMap(([media, { schema }]) => {
            const kind = element("p", {}, element("code", {}, media), " ", element("span", { class: "type" }, brief(schema)));
            const whole = schema?.$ref ? follow(schema) : schema;
            return [kind, members(whole)];
        });
    }

    function details(operation) {
        const shown = element("div");
        if (operation.description) shown.append(element("p", {}, operation.description));
        const open = operation.security?.some((it) => !Object.keys(it).length);
        shown.append(element("p", { class: "type" }, open ? "For everybody." : "With a token or a login."));
        const parameters = (operation.parameters ?? []).map(follow);
        if (parameters.length) {
            const list = element("ul", { class: "members" });
            for (const it of parameters) {
                const place = it.in === "path" ? " in the path" : " in the query";
                list.append(element("li", {}, element("code", {}, it.name), element("span", { class: "type" }, `${place}, ${brief(it.schema)}`)));
            }
            shown.append(element("h3", {}, "Parameters"), list);
        }
        const body = follow(operation.requestBody);
        if (body) shown.append(element("h3", {}, "Body"), ...content(body));
        for (const [status, answer] of Object.entries(operation.responses ?? {})) {
            shown.append(element("h3", {}, `Answer ${status}`), ...content(follow(answer)));
        }
        return shown;
    }

    const groups = new Map();
    for (const [path, item] of Object.entries(description.paths)) {
        for (const method of METHODS.filter((it) => item[it])) {
            const operation = item[method];
            const tag = operation.tags?.[0] ?? "other";
            if (!groups.has(tag)) groups.set(tag, []);
            const shown = element(
                "details",
                { class: "operation", id: operation.operationId },
                element(
                    "summary",
                    {},
                    element("span", { class: `method ${method}` }, method.toUpperCase()),
                    element("code", {}, path),
                    element("span", { class: "id" }, operation.operationId),
                ),
            );
            shown.addEventListener("toggle", () => shown.append(details(operation)), { once: true });
            const words = [path, method, operation.operationId, tag, operation.description ?? ""].join(" ").toLowerCase();
            groups.get(tag).push({ shown, words });
        }
    }

    const tags = document.getElementById("tags");
    const sections = [...groups].sort(([one], [other]) => one.localeCompare(other)).map(([tag, operations]) => {
        const count = element("span", {}, String(operations.length));
        const link = element("a", { href: `#tag-${tag}` }, tag, count);
        const section = element("section", { id: `tag-${tag}` }, element("h2", {}, tag), ...operations.map((it) => it.shown));
        tags.append(link);
        main.append(section);
        return { operations, count, link, section };
    });
    const none = element("p", { role: "status", hidden: "" }, "Nothing is found.");
    main.append(none);
    const { title, version } = description.info;
    document.getElementById("about").prepend(`${title} ${version}. `);

    document.getElementById("search").addEventListener("input", (event) => {
        const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
        let all = 0;
        for (const { operations, count, link, section } of sections) {
            let found = 0;
            for (const it of operations) {
                const fits = words.every((word) => it.words.includes(word));
                it.shown.hidden = !fits;
                found += fits ? 1 : 0;
            }
            count.textContent = String(found);
            link.hidden = section.hidden = found === 0;
            all += found;
        }
        none.hidden = all > 0;
    });

    /** Opens what the address names. */
    function open() {
        const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
        if (named?.matches("details.operation")) named.open = true;
        named?.scrollIntoView();
    }
    addEventListener("hashchange", open);
    if (location.hash) open();
})();
