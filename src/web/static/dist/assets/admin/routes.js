// The pages of the console, and where the navigation leads.
//
// How to add one. Write `<thing>.js` beside this file, which exports
//
//   export const title = 'Users';                 // or (params) => text; setTitle(text) later on
//   export async function render(place, params)   // fills `place`, an empty element below the <h1>
//
// and add a route below: `path` with `:names` that `params` holds then, beside `params.signal`, an
// AbortSignal that ends when the page is left (for streams and timers). An error that `render` throws is
// shown on the page. What is asked in the address: `query()`, `setQuery()` of router.js. Links are plain
// `<a href=${href('/flows')}>` (router.js), `go(path)` goes there by script, `again()` shows the page anew.
//
// What there is to build with:
//   h.js         h(name, attributes, ...children), fill(), facts(), tag(), moment(), words(), yes()
//   api.js       get, list, all, create (POST), update (PATCH), remove (DELETE), call; they throw a Refusal
//                with `.detail`, `.fields`, `.status`
//   list.js      list({ path, columns, filters, … }) over the API, table({ columns, rows }) over an array
//   form.js      await form({ operation, values, fields, save, saved, … }), from the served description
//   fields.js    what a form may be told of a field (kind, label, hint, names, reference, value, hidden)
//   references.js  where the objects are that a property refers to; pick.js the field for them alone
//   dialog.js    confirm({ title, content, action, danger, act }), dialog({ title, content, wide })
//   remove.js    await remove({ path, name }): asks, shows what uses it, deletes; answers whether it did
//   history.js   await history(kind, id): who changed it when
//   event_shape.js  how an event of an execution looks: its sign, its sentence with people by name
//   page.js      setTitle(), tabs(base, parts), section(heading, content, …actions), bar(), button(),
//                action(text, act), live(make) with refresh(), failure(error)
//   announce.js  announce(text, 'bad'?): said in the live region and shown for a while
// Nothing sets styles or markup from text: the Content-Security-Policy allows neither. Classes are in
// admin.css; a page that needs rules of its own adds them there.

/** The navigation: groups of `[path, name]`. */
export const navigation = [
  { name: "Overview", pages: [["/", "Start"]] },
  {
    name: "Flows",
    pages: [
      ["/flows", "Flows"],
      ["/stages", "Stages"],
      ["/prompts", "Prompts"],
      ["/policies", "Policies"],
      ["/blueprints", "Blueprints"],
      ["/brands", "Brands"],
    ],
  },
  {
    name: "People",
    pages: [
      ["/users", "Users"],
      ["/groups", "Groups"],
      ["/roles", "Roles"],
      ["/invitations", "Invitations"],
      ["/tokens", "Tokens"],
    ],
  },
  {
    name: "What happens",
    pages: [
      ["/executions", "Executions"],
      ["/what-if", "What if"],
      ["/events", "Events"],
      ["/health", "System health"],
    ],
  },
];

/** Every page, loaded when it is first shown. The first that fits is taken. */
export const routes = [
  { path: "/", page: () => import("./start.js") },
  { path: "/flows", page: () => import("./flows.js") },
  { path: "/flows/new", page: () => import("./flow_new.js") },
  { path: "/flows/:slug", page: () => import("./flow.js") },
  { path: "/flows/:slug/:part", page: () => import("./flow.js") },
  { path: "/stages", page: () => import("./stages.js") },
  { path: "/stages/new", page: () => import("./stage_new.js") },
  { path: "/stages/new/:model", page: () => import("./stage_new.js") },
  { path: "/stages/:pk", page: () => import("./stage.js") },
  { path: "/stages/:pk/:part", page: () => import("./stage.js") },
  { path: "/prompts", page: () => import("./prompts.js") },
  { path: "/prompts/new", page: () => import("./prompt_new.js") },
  { path: "/prompts/:pk", page: () => import("./prompt.js") },
  { path: "/prompts/:pk/:part", page: () => import("./prompt.js") },
  { path: "/policies", page: () => import("./policies.js") },
  { path: "/policies/new", page: () => import("./policy_new.js") },
  { path: "/policies/new/:model", page: () => import("./policy_new.js") },
  { path: "/policies/:pk", page: () => import("./policy.js") },
  { path: "/policies/:pk/:part", page: () => import("./policy.js") },
  { path: "/blueprints", page: () => import("./blueprints.js") },
  { path: "/blueprints/import", page: () => import("./blueprint_import.js") },
  { path: "/blueprints/:pk", page: () => import("./blueprint.js") },
  { path: "/blueprints/:pk/:part", page: () => import("./blueprint.js") },
  { path: "/brands", page: () => import("./brands.js") },
  { path: "/brands/:pk", page: () => import("./brand.js") },
  { path: "/brands/:pk/:part", page: () => import("./brand.js") },
  { path: "/users", page: () => import("./users.js") },
  { path: "/users/new", page: () => import("./user_new.js") },
  { path: "/users/new-service", page: () => import("./user_new_service.js") },
  { path: "/users/:pk", page: () => import("./user.js") },
  { path: "/users/:pk/:part", page: () => import("./user.js") },
  { path: "/groups", page: () => import("./groups.js") },
  { path: "/groups/new", page: () => import("./group_new.js") },
  { path: "/groups/:pk", page: () => import("./group.js") },
  { path: "/groups/:pk/:part", page: () => import("./group.js") },
  { path: "/roles", page: () => import("./roles.js") },
  { path: "/roles/new", page: () => import("./role_new.js") },
  { path: "/roles/:pk", page: () => import("./role.js") },
  { path: "/roles/:pk/:part", page: () => import("./role.js") },
  { path: "/invitations", page: () => import("./invitations.js") },
  { path: "/invitations/new", page: () => import("./invitation_new.js") },
  { path: "/tokens", page: () => import("./tokens.js") },
  { path: "/tokens/new", page: () => import("./token_new.js") },
  { path: "/executions", page: () => import("./executions.js") },
  { path: "/executions/:pk", page: () => import("./execution.js") },
  { path: "/what-if", page: () => import("./what_if.js") },
  { path: "/events", page: () => import("./events.js") },
  { path: "/health", page: () => import("./health.js") },
];
