//! What is still missing before people can use a flow that came ready-made.

use crate::blueprint::Ready;
use crate::courier::Courier;
use crate::execution::Executions;

/// What is missing, in sentences.
pub(super) fn needs(
    ready: Ready,
    courier: Option<&Courier>,
    executions: &Executions,
) -> Vec<String> {
    let mut needs = Vec::new();
    if ready.sends_mail() {
        needs.push(match courier.and_then(Courier::folder) {
            Some(folder) => format!(
                "It sends mails, and there is no mail server: until email.host is set, they are \
                 written to {}.",
                folder.display()
            ),
            None => "It sends mails; `gatelog mail test ADDRESS` says whether they arrive.".into(),
        });
        if executions.public_url().is_none() {
            let text = "Links in mails need an address: set web.public_url, or give a brand the \
                        domain. Without either they work on this machine only.";
            needs.push(text.to_owned());
        }
    }
    if ready == Ready::Invitation {
        let text = "It lets in who has an invitation; `gatelog invitation create` makes one.";
        needs.push(text.to_owned());
    }
    needs
}
