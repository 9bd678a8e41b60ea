// Holds what the TypeScript client made of an answer against the types that the client declares,
// which it does not do itself: every member that has to be there, of the type that it has to have.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(join(process.env.GATELOG_NODE, "from-here.js"));

export const ak = require("@goauthentik/api");

const MODELS = join(dirname(require.resolve("@goauthentik/api")), "models");

const known = new Map();

/** What a model declares: the members of an interface, or the values of an enumeration. */
function declared(name) {
    if (!known.has(name)) {
        const text = readFileSync(join(MODELS, `${name}.d.ts`), "utf8").replace(/\/\*[^]*?\*\//g, "");
        const values = text.match(new RegExp(`const ${name}: \\{([^}]*)\\}`));
        const body = text.match(new RegExp(`interface ${name} \\{\\n([^]*?)\\n\\}`));
        if (values) {
            const all = [...values[1].matchAll(/: (".*?"|[0-9]+);/g)].map((it) => JSON.parse(it[1]));
            known.set(name, { values: all.filter((it) => it !== "11184809") });
        } else if (body) {
            // One member on a line, but an object without a model spans three.
            const flat = body[1].replace(/\{\n\s*\[key: string\]: (.*?);\n\s*\}/g, "Record<$1>");
            const member = /^\s*(?:readonly )?(\w+)(\??): (.*);$/gm;
            const members = [...flat.matchAll(member)].map(([, key, optional, type]) => ({
                key,
                optional: optional === "?",
                type,
            }));
            if (members.length !== flat.split("\n").filter((line) => line.trim()).length) {
                throw new Error(`the declaration of ${name} was not understood:\n${flat}`);
            }
            known.set(name, { members });
        } else {
            throw new Error(`nothing is declared for ${name}`);
        }
    }
    return known.get(name);
}

function fail(path, type, value) {
    throw new Error(`${path} is no ${type}: ${JSON.stringify(value)}`);
}

/** Fails unless `value` is of the declared type. */
function check(path, type, value) {
    if (type.endsWith(" | null")) {
        if (value !== null) check(path, type.slice(0, -" | null".length), value);
        return;
    }
    const array = type.match(/^Array<(.*)>$/);
    const record = type.match(/^Record<(.*)>$/);
    if (array) {
        if (!Array.isArray(value)) fail(path, type, value);
        value.forEach((item, place) => check(`${path}[${place}]`, array[1], item));
    } else if (record) {
        if (typeof value !== "object" || value === null) fail(path, type, value);
        for (const [key, item] of Object.entries(value)) check(`${path}.${key}`, record[1], item);
    } else if (type === "any") {
        // Anything is.
    } else if (type === "Date") {
        if (!(value instanceof Date) || Number.isNaN(value.getTime())) fail(path, type, value);
    } else if (["string", "number", "boolean"].includes(type)) {
        if (typeof value !== type) fail(path, type, value);
    } else {
        model(path, type, value);
    }
}

function model(path, name, value) {
    const { values, members } = declared(name);
    if (values) {
        if (!values.includes(value)) fail(path, name, value);
        return;
    }
    if (typeof value !== "object" || value === null) fail(path, name, value);
    for (const { key, optional, type } of members) {
        const item = value[key];
        if (item === undefined || (item === null && optional)) {
            if (!optional) fail(`${path}.${key}`, type, item);
        } else {
            check(`${path}.${key}`, type, item);
        }
    }
}

/** What a call gave, once it is what the client says that it is. */
export async function strict(type, call) {
    const value = await call;
    check(type, type, value);
    return value;
}
