//! A flow as a picture: the text of a Mermaid chart, in the words of authentik's interface, which
//! draws it. Computes only.

use std::fmt::Write;

use super::Flow;
use crate::flow::model::Authentication;

/// A policy that is bound to something, as the picture names it.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Its place.
    pub order: i32,
    /// What people call its kind.
    pub title: String,
    /// What it is called.
    pub name: String,
}

/// A stage in its place, as the picture names it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What people call its kind.
    pub title: String,
    /// What it is called.
    pub name: String,
    /// What is asked before it, in order.
    pub conditions: Vec<Condition>,
}

/// A node: an identifier, what is written in it, and its outline.
struct Node {
    id: String,
    text: String,
    outline: (&'static str, &'static str),
}

impl Node {
    fn box_of(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            text: text.into(),
            outline: ("[[", "]]"),
        }
    }

    fn plain(id: &str, text: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            text: text.into(),
            outline: ("[", "]"),
        }
    }

    fn end() -> Self {
        Self::box_of("done", "End of the flow")
    }

    fn policy(id: String, condition: &Condition) -> Self {
        Self {
            id,
            text: format!("Policy ({})\n{}", condition.title, condition.name),
            outline: ("{{", "}}"),
        }
    }

    fn stage(number: usize, step: &Step) -> Self {
        Self {
            id: format!("stage_{number}"),
            text: format!("Stage ({})\n{}", step.title, step.name),
            outline: ("([", "])"),
        }
    }
}

/// The lines of a chart.
struct Chart(String);

impl Chart {
    fn node(&mut self, node: &Node) {
        let (open, close) = node.outline;
        let text = node.text.replace('"', "#quot;");
        let _ = write!(self.0, "{}{open}\"{text}\"{close}", node.id);
    }

    /// A node without an edge.
    fn alone(&mut self, node: &Node) {
        self.0.push('\n');
        self.node(node);
    }

    /// An edge to a node from each source; without any, the edge goes on from the line before.
    fn edges(&mut self, sources: &[&str], label: &str, node: &Node) {
        let arrow = if label.is_empty() {
            "--> ".to_owned()
        } else {
            format!("--{label}--> ")
        };
        let starts: Vec<String> = sources.iter().map(|it| format!("{it} ")).collect();
        let no_start = [String::new()];
        for start in if starts.is_empty() {
            &no_start[..]
        } else {
            &starts
        } {
            let _ = write!(self.0, "\n{start}{arrow}");
            self.node(node);
        }
    }
}

/// The chart of a flow with its stages in order and the policies that are bound to it, as far as
/// whoever looks at it may see them.
#[must_use]
pub fn diagram(flow: &Flow, conditions: &[Condition], steps: &[Step]) -> String {
    let mut chart = Chart("graph TD".to_owned());
    if flow.authentication != Authentication::None {
        let text = format!("Flow authentication requirement\n{}", flow.authentication);
        chart.alone(&Node::plain("flow_auth_requirement", text));
        let required = ["flow_auth_requirement"];
        chart.edges(&required, "Requirement not fulfilled", &Node::end());
        chart.edges(
            &required,
            "Requirement fulfilled",
            &Node::plain("flow_start", "placeholder"),
        );
    }
    let policies: Vec<Node> = conditions
        .iter()
        .enumerate()
        .map(|(number, it)| Node::policy(format!("flow_policy_{number}"), it))
        .collect();
    let ids: Vec<&str> = policies.iter().map(|it| it.id.as_str()).collect();
    let start = Node::box_of("flow_start", format!("Flow\n{}", flow.name));
    if policies.is_empty() {
        chart.alone(&start);
    } else {
        chart.alone(&Node::box_of("flow_pre", "Pre-flow policies"));
        for (policy, condition) in policies.iter().zip(conditions) {
            chart.edges(
                &["flow_pre"],
                &format!("Binding {}", condition.order),
                policy,
            );
        }
        chart.edges(&ids, "Policy denied", &Node::end());
        chart.edges(&ids, "", &start);
    }
    stages(&mut chart, steps);
    if steps.is_empty() {
        chart.edges(&["flow_start"], "", &Node::end());
    }
    chart.0
}

/// The stages, and then what is asked before each and where that leads.
fn stages(chart: &mut Chart, steps: &[Step]) {
    let asked: Vec<Vec<Node>> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| {
            let conditions = step.conditions.iter().enumerate();
            let node = |(at, it)| Node::policy(format!("stage_{number}_policy_{at}"), it);
            conditions.map(node).collect()
        })
        .collect();
    let ids =
        |number: usize| -> Vec<&str> { asked[number].iter().map(|it| it.id.as_str()).collect() };
    let nodes: Vec<Node> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| Node::stage(number, step))
        .collect();
    for (number, node) in nodes.iter().enumerate() {
        let label = if asked[number].is_empty() {
            ""
        } else {
            "Policy passed"
        };
        chart.edges(&ids(number), label, node);
    }
    let mut before = "flow_start";
    for (number, node) in nodes.iter().enumerate() {
        for policy in &asked[number] {
            chart.edges(&[before], "", policy);
        }
        // What the stage before asked may have led past it.
        if number > 0 && !asked[number - 1].is_empty() {
            chart.edges(&ids(number - 1), "Policy denied", node);
        }
        before = &node.id;
    }
    if let Some(last) = nodes.last() {
        chart.edges(&[&last.id], "", &Node::end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::flow::model::Designation;

    fn flow(name: &str) -> Flow {
        let slug = "f".parse().expect("a slug");
        Flow {
            name: name.to_owned(),
            ..Flow::new(&Clock::system(), slug, "", Designation::Authentication)
        }
    }

    fn condition(order: i32, name: &str) -> Condition {
        Condition {
            order,
            title: "Dummy Policy".to_owned(),
            name: name.to_owned(),
        }
    }

    fn step(name: &str, conditions: Vec<Condition>) -> Step {
        Step {
            title: "Dummy Stage".to_owned(),
            name: name.to_owned(),
            conditions,
        }
    }

    #[test]
    fn a_stage_with_a_policy_comes_after_it() {
        let steps = [
            step("dummy1", Vec::new()),
            step("dummy2", vec![condition(0, "no")]),
        ];
        let expected = r#"graph TD
flow_start[["Flow
test"]]
--> stage_0(["Stage (Dummy Stage)
dummy1"])
stage_1_policy_0 --Policy passed--> stage_1(["Stage (Dummy Stage)
dummy2"])
stage_0 --> stage_1_policy_0{{"Policy (Dummy Policy)
no"}}
stage_1 --> done[["End of the flow"]]"#;
        assert_eq!(diagram(&flow("test"), &[], &steps), expected);
    }

    #[test]
    fn a_flow_without_stages_is_at_its_end_at_once() {
        let expected = "graph TD\nflow_start[[\"Flow\nsay #quot;a#quot;\"]]\n\
                        flow_start --> done[[\"End of the flow\"]]";
        assert_eq!(diagram(&flow("say \"a\""), &[], &[]), expected);
    }

    #[test]
    fn what_is_required_and_asked_comes_before_the_flow_and_a_denial_leads_on() {
        let flow = Flow {
            authentication: Authentication::RequireAuthenticated,
            ..flow("test")
        };
        let steps = [
            step("one", vec![condition(0, "maybe")]),
            step("two", Vec::new()),
        ];
        let expected = r#"graph TD
flow_auth_requirement["Flow authentication requirement
require_authenticated"]
flow_auth_requirement --Requirement not fulfilled--> done[["End of the flow"]]
flow_auth_requirement --Requirement fulfilled--> flow_start["placeholder"]
flow_pre[["Pre-flow policies"]]
flow_pre --Binding 5--> flow_policy_0{{"Policy (Dummy Policy)
first"}}
flow_policy_0 --Policy denied--> done[["End of the flow"]]
flow_policy_0 --> flow_start[["Flow
test"]]
stage_0_policy_0 --Policy passed--> stage_0(["Stage (Dummy Stage)
one"])
--> stage_1(["Stage (Dummy Stage)
two"])
flow_start --> stage_0_policy_0{{"Policy (Dummy Policy)
maybe"}}
stage_0_policy_0 --Policy denied--> stage_1(["Stage (Dummy Stage)
two"])
stage_1 --> done[["End of the flow"]]"#;
        assert_eq!(diagram(&flow, &[condition(5, "first")], &steps), expected);
    }
}
