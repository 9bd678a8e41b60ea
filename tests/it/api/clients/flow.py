"""authentik's published client for Python makes a flow from nothing, goes through it, exports it,
takes it away, and brings it back from the export.

Every answer goes through the client's own strict models. What it needs comes through the
environment: GATELOG_URL, GATELOG_TOKEN, and the name and password of the person who goes through
the flow, GATELOG_PERSON, GATELOG_PERSON_NAME, GATELOG_PERSON_MAIL and GATELOG_PASSWORD.
"""

import json
import os
import re
import time
from http.cookies import SimpleCookie

import authentik_client as ak
from authentik_client.exceptions import ApiException
from authentik_client.models.challenge_types import ChallengeTypes

URL = os.environ["GATELOG_URL"]
PERSON = os.environ["GATELOG_PERSON"]
PASSWORD = os.environ["GATELOG_PASSWORD"]
SLUG = "made-by-python"


def client(token=None):
    """A client, of whoever has this token."""
    return ak.ApiClient(ak.Configuration(host=f"{URL}/api/v3", access_token=token))


ADMIN = client(os.environ["GATELOG_TOKEN"])
flows, stages, policies = ak.FlowsApi(ADMIN), ak.StagesApi(ADMIN), ak.PoliciesApi(ADMIN)
core, events, managed = ak.CoreApi(ADMIN), ak.EventsApi(ADMIN), ak.ManagedApi(ADMIN)


def refused(status, call, *args, **kwargs):
    """The body of a refusal with this status."""
    try:
        call(*args, **kwargs)
    except ApiException as error:
        assert error.status == status, error
        return json.loads(error.body)
    raise AssertionError(f"{call.__name__} was not refused")


def challenge_models():
    """The model of each component, as the description that the client was made from has them."""
    fields = ChallengeTypes.model_fields.items()
    found = {}
    for name, field in fields:
        if name.startswith("oneof_schema_"):
            model = next(it for it in field.annotation.__args__ if it is not type(None))
            found[model.model_fields["component"].default] = model
    assert len(found) == 30, found
    return found


class Visitor:
    """A browser: it keeps cookies, which the client does not, and picks the model of a challenge
    by its component, because the client's typed call takes one that fits several models for none.
    """

    MODELS = challenge_models()

    def __init__(self, slug):
        self.api = ak.FlowsApi(client())
        self.slug = slug
        self.cookies = {}

    def headers(self):
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": jar} if jar else {}
        if "authentik_csrf" in self.cookies:
            headers["X-authentik-CSRF"] = self.cookies["authentik_csrf"]
        return headers

    def read(self, response):
        assert response.status == 200, response.data
        for line in response.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        body = json.loads(response.data)
        model = self.MODELS[body["component"]]
        return model.from_dict(body)

    def sees(self):
        call = self.api.flows_executor_get_without_preload_content
        return self.read(call(self.slug, query="", _headers=self.headers()))

    def answers(self, response):
        call = self.api.flows_executor_solve_without_preload_content
        request = ak.FlowChallengeResponseRequest(response)
        return self.read(
            call(
                self.slug,
                query="",
                flow_challenge_response_request=request,
                _headers=self.headers(),
            )
        )


def make_person():
    user = core.core_users_create(
        ak.UserRequest(
            username=PERSON,
            name=os.environ["GATELOG_PERSON_NAME"],
            email=os.environ["GATELOG_PERSON_MAIL"],
            attributes={"shoe_size": 41},
            path="users",
        )
    )
    core.core_users_set_password_create(
        user.pk, ak.UserPasswordSetRequest(password=PASSWORD)
    )
    assert core.core_users_retrieve(user.pk).attributes == {"shoe_size": 41}
    listed = core.core_users_list(username=PERSON).results
    assert [it.pk for it in listed] == [user.pk], listed
    group = core.core_groups_create(ak.GroupRequest(name="walkers", users=[user.pk]))
    assert core.core_users_retrieve(user.pk).groups == [group.pk]
    return user, group


def make_stages():
    """The stages, in the order in which they are bound."""
    password = stages.stages_password_create(
        ak.PasswordStageRequest(
            name="python-password",
            backends=[ak.BackendsEnum.AUTHENTIK_DOT_CORE_DOT_AUTH_DOT_INBUILT_BACKEND],
            failed_attempts_before_cancel=3,
        )
    )
    identification = stages.stages_identification_create(
        ak.IdentificationStageRequest(
            name="python-identification", user_fields=[ak.UserFieldsEnum.USERNAME]
        )
    )
    prompts = [
        stages.stages_prompt_prompts_create(
            ak.PromptRequest(
                name="python-shoe-size",
                field_key="attributes.shoe_size",
                label="Shoe size",
                type=ak.PromptTypeEnum.NUMBER,
                required=True,
                order=0,
            )
        ),
        stages.stages_prompt_prompts_create(
            ak.PromptRequest(
                name="python-colour",
                field_key="attributes.colour",
                label="Colour",
                type=ak.PromptTypeEnum.DROPDOWN,
                placeholder="return ['red', 'blue']",
                placeholder_expression=True,
                initial_value="blue",
                order=1,
            )
        ),
    ]
    sane = policies.policies_expression_create(
        ak.ExpressionPolicyRequest(
            name="python-sane",
            expression="if int(request.context['prompt_data']['attributes.shoe_size']) < 60:\n"
            "    return True\n"
            "ak_message('Nobody has such feet')\n"
            "return False\n",
        )
    )
    prompt = stages.stages_prompt_stages_create(
        ak.PromptStageRequest(
            name="python-prompt",
            fields=[it.pk for it in prompts],
            validation_policies=[sane.pk],
        )
    )
    deny = stages.stages_deny_create(ak.DenyStageRequest(name="python-deny"))
    write = stages.stages_user_write_create(
        ak.UserWriteStageRequest(
            name="python-write",
            user_creation_mode=ak.UserCreationModeEnum.NEVER_CREATE,
        )
    )
    login = stages.stages_user_login_create(
        ak.UserLoginStageRequest(name="python-login", session_duration="hours=1")
    )
    return [identification, password, prompt, deny, write, login], prompts, sane


def make_flow(group):
    flow = flows.flows_instances_create(
        ak.FlowRequest(
            name="Made by Python",
            slug=SLUG,
            title="Hello %(user)s",
            designation=ak.FlowDesignationEnum.AUTHENTICATION,
        )
    )
    again = refused(
        400,
        flows.flows_instances_create,
        ak.FlowRequest(
            name="Twice",
            slug=SLUG,
            title="Twice",
            designation=ak.FlowDesignationEnum.AUTHENTICATION,
        ),
    )
    assert again == {"slug": ["This field must be unique."]}, again
    made, prompts, sane = make_stages()
    bindings = [
        flows.flows_bindings_create(
            ak.FlowStageBindingRequest(target=flow.pk, stage=stage.pk, order=10 * place)
        )
        for place, stage in enumerate(made)
    ]
    # Who may walk on is not denied: the stage that would is left out for members of the group.
    stranger = policies.policies_expression_create(
        ak.ExpressionPolicyRequest(
            name="python-stranger",
            expression="return not ak_is_group_member(request.user, name='walkers')",
        )
    )
    denies = policies.policies_bindings_create(
        ak.PolicyBindingRequest(policy=stranger.pk, target=bindings[3].pk, order=0)
    )
    # Only members of the group are logged in.
    members = policies.policies_bindings_create(
        ak.PolicyBindingRequest(group=group.pk, target=bindings[5].pk, order=0)
    )
    assert members.target == bindings[5].pk, members
    listed = policies.policies_bindings_list(target=bindings[5].policybindingmodel_ptr_id)
    assert [it.pk for it in listed.results] == [members.pk], listed
    return flow, made, prompts, [sane, stranger], bindings, [denies, members]


def look_around(flow, made, bindings):
    """Lists, filters and changes."""
    listed = flows.flows_instances_list(slug=SLUG)
    assert [it.pk for it in listed.results] == [flow.pk], listed
    assert listed.pagination.count == 1, listed
    assert set(listed.results[0].stages) == {it.pk for it in made}
    names = [it.name for it in stages.stages_all_list(search="python-", ordering="name").results]
    assert names == sorted(it.name for it in made), names
    bound = flows.flows_bindings_list(target=flow.pk, ordering="order").results
    assert [it.pk for it in bound] == [it.pk for it in bindings], bound
    assert bound[1].stage_obj.component == "ak-stage-password-form", bound[1]
    changed = flows.flows_instances_partial_update(
        SLUG, patched_flow_request=ak.PatchedFlowRequest(title="Welcome %(user)s")
    )
    assert changed.title == "Welcome %(user)s" and changed.name == flow.name, changed
    order = flows.flows_bindings_partial_update(
        bindings[3].pk, patched_flow_stage_binding_request=ak.PatchedFlowStageBindingRequest(order=31)
    )
    assert order.order == 31, order
    diagram = flows.flows_instances_diagram_retrieve(SLUG)
    assert diagram.diagram.startswith("graph TD"), diagram
    flows.flows_instances_used_by_list(SLUG)
    used = stages.stages_all_used_by_list(made[0].pk)
    assert [it.model_name for it in used] == ["flowstagebinding"], used
    assert stages.stages_all_types_list() and policies.policies_all_types_list()
    assert len(policies.policies_all_list(search="python-").results) == 2
    assert core.core_brands_list().results
    assert core.core_tokens_list().results
    missing = refused(404, flows.flows_instances_retrieve, "nothing-of-the-kind")
    assert missing == {"detail": "No Flow matches the given query."}, missing


def walk():
    """Through the flow to its end, with one wrong answer at every place that can take one."""
    visitor = Visitor(SLUG)
    first = visitor.sees()
    assert first.component == "ak-stage-identification", first
    assert first.user_fields == ["username"], first
    second = visitor.answers(ak.IdentificationChallengeResponseRequest(uid_field=PERSON))
    assert second.component == "ak-stage-password", second
    assert second.pending_user == PERSON, second
    assert second.flow_info.title == f"Welcome {PERSON}", second
    wrong = visitor.answers(ak.PasswordChallengeResponseRequest(password="wrong"))
    assert wrong.component == "ak-stage-password", wrong
    assert wrong.response_errors["password"][0].code == "invalid", wrong
    third = visitor.answers(ak.PasswordChallengeResponseRequest(password=PASSWORD))
    assert third.component == "ak-stage-prompt", third
    assert [it.field_key for it in third.fields] == [
        "attributes.shoe_size",
        "attributes.colour",
    ], third
    large = visitor.answers(prompt_answer(99))
    assert large.response_errors["non_field_errors"][0].string == "Nobody has such feet", large
    last = visitor.answers(prompt_answer(43))
    assert last.component == "xak-flow-redirect" and last.to == "/", last
    return visitor


def prompt_answer(size):
    return ak.PromptChallengeResponseRequest.from_dict(
        {
            "component": "ak-stage-prompt",
            "attributes.shoe_size": size,
            "attributes.colour": "blue",
        }
    )


def check(visitor, user):
    """Whoever came through is logged in, and the events say so."""
    own = ak.CoreApi(client())
    me = own.core_users_me_retrieve(_headers=visitor.headers())
    assert me.user.pk == user.pk and not me.user.is_superuser, me
    refused(403, own.core_users_me_retrieve)
    refused(403, own.core_users_list, _headers=visitor.headers())
    written = core.core_users_retrieve(user.pk).attributes
    assert written == {"shoe_size": 43, "colour": "blue"}, written
    for _ in range(40):
        logins = events.events_events_list(actions=["login"], username=PERSON).results
        if logins:
            break
        # Events are read out of the journal, a moment later.
        time.sleep(0.25)
    assert len(logins) == 1 and logins[0].user["pk"] == user.pk, logins
    assert events.events_events_retrieve(logins[0].pk).action == ak.EventActions.LOGIN
    failed = events.events_events_list(action="login_failed").results
    assert failed and PASSWORD not in json.dumps([it.to_dict() for it in failed], default=str)
    made = events.events_events_list(action="model_created").results
    assert made, "nothing says who made the flow"
    sessions = core.core_authenticated_sessions_list(user__username=PERSON).results
    assert len(sessions) == 1, sessions


def take_away(flow, made, prompts, rules, group):
    flows.flows_instances_destroy(flow.slug)
    for stage in made:
        stages.stages_all_destroy(stage.pk)
    for prompt in prompts:
        stages.stages_prompt_prompts_destroy(prompt.pk)
    for rule in rules:
        policies.policies_all_destroy(rule.pk)
    if group is not None:
        core.core_groups_destroy(group.pk)
    refused(404, flows.flows_instances_retrieve, flow.slug)
    assert not stages.stages_all_list(search="python-").results
    assert not policies.policies_all_list(search="python-").results
    assert not flows.flows_bindings_list(target=flow.pk).results


def bring_back(exported, flow, made, prompts, rules):
    """The export makes everything again, under the same keys."""
    result = managed.managed_blueprints_import_create(file=("flow.yaml", exported))
    assert result.success, result
    back = flows.flows_instances_retrieve(SLUG)
    assert back.title == "Welcome %(user)s" and back.pk == flow.pk, back
    assert set(back.stages) == {it.pk for it in made}, back
    names = {it.name for it in policies.policies_all_list(search="python-").results}
    assert names == {it.name for it in rules}, names
    again = flows.flows_instances_export_retrieve(SLUG)
    # The name of an export says when it was made.
    named = re.compile(rb"Gatelog Export - [^\"\n]*")
    again, exported = (named.sub(b"", bytes(it)) for it in (again, exported))
    assert again == exported, f"{exported.decode()}\n--- again\n{again.decode()}"


def main():
    user, group = make_person()
    flow, made, prompts, rules, bindings, _ = make_flow(group)
    look_around(flow, made, bindings)
    visitor = walk()
    check(visitor, user)
    exported = bytes(flows.flows_instances_export_retrieve(SLUG))
    assert SLUG.encode() in exported, exported.decode()
    take_away(flow, made, prompts, rules, None)
    bring_back(exported, flow, made, prompts, rules)
    take_away(flow, made, prompts, rules, group)
    core.core_users_destroy(user.pk)
    refused(404, core.core_users_retrieve, user.pk)


main()
print("done")
