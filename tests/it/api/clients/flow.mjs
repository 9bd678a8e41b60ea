// authentik's published client for TypeScript makes a flow from nothing, goes through it, exports
// it, and takes it away. What it needs comes through the environment, as for flow.py; GATELOG_NODE
// is the directory with its modules.

import assert from "node:assert/strict";

import { ak, strict } from "./strict.mjs";

const {
    GATELOG_URL,
    GATELOG_TOKEN,
    GATELOG_PERSON,
    GATELOG_PERSON_NAME,
    GATELOG_PERSON_MAIL,
    GATELOG_PASSWORD,
} = process.env;
const SLUG = "made-by-typescript";
const basePath = `${GATELOG_URL}/api/v3`;

const admin = new ak.Configuration({ basePath, accessToken: GATELOG_TOKEN });
const flows = new ak.FlowsApi(admin);
const stages = new ak.StagesApi(admin);
const policies = new ak.PoliciesApi(admin);
const core = new ak.CoreApi(admin);
const events = new ak.EventsApi(admin);

/** The body of a refusal with this status. */
async function refused(status, call) {
    try {
        await call;
    } catch (error) {
        assert.ok(error instanceof ak.ResponseError, error);
        assert.equal(error.response.status, status);
        return error.response.json();
    }
    assert.fail("it was not refused");
}

/** A browser: it keeps cookies, and shows that its own page asks. */
function browser() {
    const cookies = new Map();
    const headers = () => {
        const jar = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const csrf = cookies.get("authentik_csrf");
        return { ...(jar && { Cookie: jar }), ...(csrf && { "X-authentik-CSRF": csrf }) };
    };
    const keep = {
        pre: async ({ url, init }) => ({
            url,
            init: { ...init, headers: { ...init.headers, ...headers() } },
        }),
        post: async ({ response }) => {
            for (const line of response.headers.getSetCookie()) {
                const [name, value] = line.split(";")[0].split("=");
                cookies.set(name, value);
            }
            return response;
        },
    };
    return new ak.Configuration({ basePath, middleware: [keep] });
}

async function makePerson() {
    const user = await strict(
        "User",
        core.coreUsersCreate({
            userRequest: {
                username: GATELOG_PERSON,
                name: GATELOG_PERSON_NAME,
                email: GATELOG_PERSON_MAIL,
                path: "users",
            },
        }),
    );
    await core.coreUsersSetPasswordCreate({
        id: user.pk,
        userPasswordSetRequest: { password: GATELOG_PASSWORD },
    });
    const listed = core.coreUsersList({ username: GATELOG_PERSON });
    const { results } = await strict("PaginatedUserList", listed);
    assert.deepEqual(
        results.map((it) => it.pk),
        [user.pk],
    );
    return user;
}

async function makeFlow() {
    const flow = await strict(
        "Flow",
        flows.flowsInstancesCreate({
            flowRequest: {
                name: "Made by TypeScript",
                slug: SLUG,
                title: "Hello",
                designation: ak.FlowDesignationEnum.Authentication,
                layout: ak.FlowLayoutEnum.SidebarLeft,
            },
        }),
    );
    assert.equal(flow.layout, "sidebar_left");
    const password = await strict(
        "PasswordStage",
        stages.stagesPasswordCreate({
            passwordStageRequest: {
                name: "typescript-password",
                backends: [ak.BackendsEnum.AuthentikCoreAuthInbuiltBackend],
            },
        }),
    );
    // The password is asked for together with the name.
    const identification = await strict(
        "IdentificationStage",
        stages.stagesIdentificationCreate({
            identificationStageRequest: {
                name: "typescript-identification",
                userFields: [ak.UserFieldsEnum.Email],
                passwordStage: password.pk,
            },
        }),
    );
    const prompt = await strict(
        "Prompt",
        stages.stagesPromptPromptsCreate({
            promptRequest: {
                name: "typescript-agree",
                fieldKey: "agree",
                label: "I agree",
                type: ak.PromptTypeEnum.Checkbox,
                required: true,
                order: 0,
            },
        }),
    );
    const agreed = await strict(
        "ExpressionPolicy",
        policies.policiesExpressionCreate({
            expressionPolicyRequest: {
                name: "typescript-agreed",
                expression: "return request.context['prompt_data']['agree']",
            },
        }),
    );
    const terms = await strict(
        "PromptStage",
        stages.stagesPromptStagesCreate({
            promptStageRequest: {
                name: "typescript-terms",
                fields: [prompt.pk],
                validationPolicies: [agreed.pk],
            },
        }),
    );
    const login = await strict(
        "UserLoginStage",
        stages.stagesUserLoginCreate({ userLoginStageRequest: { name: "typescript-login" } }),
    );
    const made = [identification, terms, login];
    const bindings = [];
    for (const [place, stage] of made.entries()) {
        const flowStageBindingRequest = { target: flow.pk, stage: stage.pk, order: place };
        const binding = flows.flowsBindingsCreate({ flowStageBindingRequest });
        bindings.push(await strict("FlowStageBinding", binding));
    }
    return { flow, made: [password, ...made], prompt, agreed, bindings };
}

async function lookAround({ flow, made, agreed, bindings }, user) {
    const listed = await strict("PaginatedFlowList", flows.flowsInstancesList({ search: "typescript" }));
    assert.deepEqual(
        listed.results.map((it) => it.pk),
        [flow.pk],
    );
    const changed = await strict(
        "Flow",
        flows.flowsInstancesPartialUpdate({
            slug: SLUG,
            patchedFlowRequest: { title: "Welcome", deniedAction: ak.DeniedActionEnum.Message },
        }),
    );
    assert.equal(changed.title, "Welcome");
    // Only one person may come to the terms.
    const bound = await strict(
        "PolicyBinding",
        policies.policiesBindingsCreate({
            policyBindingRequest: { user: user.pk, target: bindings[1].pk, order: 0 },
        }),
    );
    assert.equal(bound.userObj.username, GATELOG_PERSON);
    const all = await strict("PaginatedPolicyBindingList", policies.policiesBindingsList({}));
    assert.ok(all.results.some((it) => it.pk === bound.pk));
    const names = await strict("PaginatedStageList", stages.stagesAllList({ search: "typescript" }));
    assert.equal(names.results.length, made.length);
    await strict("Array<TypeCreate>", stages.stagesAllTypesList());
    await strict("FlowDiagram", flows.flowsInstancesDiagramRetrieve({ slug: SLUG }));
    const both = { user: user.pk, policy: agreed.pk, target: flow.pk, order: 0 };
    const wrong = await refused(400, policies.policiesBindingsCreate({ policyBindingRequest: both }));
    assert.deepEqual(wrong, {
        non_field_errors: ["Only one of 'group', 'policy', 'user' can be set."],
    });
}

async function walk() {
    const configuration = browser();
    const executor = new ak.FlowsApi(configuration);
    const flow = { flowSlug: SLUG, query: "next=%2Fif%2Fuser%2F" };
    const answers = (type, flowChallengeResponseRequest) =>
        strict(type, executor.flowsExecutorSolve({ ...flow, flowChallengeResponseRequest }));
    const first = await strict("IdentificationChallenge", executor.flowsExecutorGet(flow));
    assert.equal(first.component, "ak-stage-identification");
    assert.equal(first.passwordFields, true);
    const component = "ak-stage-identification";
    const uidField = GATELOG_PERSON_MAIL;
    const wrong = await answers("IdentificationChallenge", { component, uidField, password: "no" });
    assert.equal(wrong.responseErrors.password?.[0].code ?? wrong.responseErrors.non_field_errors[0].code, "invalid");
    const password = GATELOG_PASSWORD;
    const second = await answers("PromptChallenge", { component, uidField, password });
    assert.deepEqual(
        second.fields.map((it) => [it.fieldKey, it.type]),
        [["agree", "checkbox"]],
    );
    const last = await answers("RedirectChallenge", { component: "ak-stage-prompt", agree: true });
    assert.equal(last.to, "/if/user/");
    const own = new ak.CoreApi(configuration);
    const me = await strict("SessionUser", own.coreUsersMeRetrieve());
    assert.equal(me.user.username, GATELOG_PERSON);
    await strict("CurrentBrand", own.coreBrandsCurrentRetrieve());
    await refused(403, own.coreUsersList({}));
    // Events are read out of the journal, a moment later.
    let found = [];
    for (let tries = 0; found.length === 0 && tries < 40; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const logins = events.eventsEventsList({ actions: ["login"], username: GATELOG_PERSON });
        found = (await strict("PaginatedEventList", logins)).results;
    }
    assert.equal(found.length, 1);
}

async function takeAway({ flow, made, prompt, agreed }, user) {
    await flows.flowsInstancesDestroy({ slug: SLUG });
    for (const stage of made) await stages.stagesAllDestroy({ stageUuid: stage.pk });
    await stages.stagesPromptPromptsDestroy({ promptUuid: prompt.pk });
    await policies.policiesAllDestroy({ policyUuid: agreed.pk });
    await core.coreUsersDestroy({ id: user.pk });
    const gone = await refused(404, flows.flowsInstancesRetrieve({ slug: flow.slug }));
    assert.equal(gone.detail, "No Flow matches the given query.");
}

const user = await makePerson();
const made = await makeFlow();
await lookAround(made, user);
await walk();
const exported = await (await flows.flowsInstancesExportRetrieve({ slug: SLUG })).text();
assert.ok(exported.includes(SLUG), exported);
await takeAway(made, user);
console.log("done");
