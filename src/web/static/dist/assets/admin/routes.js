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
//   page.js      setTitle(), tabs(base, parts), section(heading, content, …actions), bar(), button(),
//                action(text, act), live(make) with refresh(), failure(error)
//   announce.js  announce(text, 'bad'?): said in the live region and shown for a while
// Nothing sets styles or markup from text: the Content-Security-Policy allows neither. Classes are in
// admin.css; a page that needs rules of its own adds them there.

/** The navigation: groups of `[path, name]`. */
export const navigation = [
  { name: 'Overview', pages: [['/', 'Start']] },
  {
    name: 'Flows',
    pages: [
      ['/flows', 'Flows'],
      ['/stages', 'Stages'],
      ['/prompts', 'Prompts'],
      ['/policies', 'Policies'],
    ],
  },
];

/** Every page, loaded when it is first shown. The first that fits is taken. */
export const routes = [
  { path: '/', page: () => import('./start.js') },
  { path: '/flows', page: () => import('./flows.js') },
  { path: '/flows/new', page: () => import('./flow_new.js') },
  { path: '/flows/:slug', page: () => import('./flow.js') },
  { path: '/flows/:slug/:part', page: () => import('./flow.js') },
  { path: '/stages', page: () => import('./stages.js') },
  { path: '/stages/new', page: () => import('./stage_new.js') },
  { path: '/stages/new/:model', page: () => import('./stage_new.js') },
  { path: '/stages/:pk', page: () => import('./stage.js') },
  { path: '/stages/:pk/:part', page: () => import('./stage.js') },
  { path: '/prompts', page: () => import('./prompts.js') },
  { path: '/prompts/new', page: () => import('./prompt_new.js') },
  { path: '/prompts/:pk', page: () => import('./prompt.js') },
  { path: '/prompts/:pk/:part', page: () => import('./prompt.js') },
  { path: '/policies', page: () => import('./policies.js') },
  { path: '/policies/new', page: () => import('./policy_new.js') },
  { path: '/policies/new/:model', page: () => import('./policy_new.js') },
  { path: '/policies/:pk', page: () => import('./policy.js') },
  { path: '/policies/:pk/:part', page: () => import('./policy.js') },
];
