//! Another process of this very program that serves something to compare with, and the end of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};

use actix_web::dev::Server;

/// The process, until it is dropped.
pub(crate) struct Beside {
    child: Child,
    /// Where it serves.
    pub(crate) address: SocketAddr,
}

impl Beside {
    /// Starts this program with this argument and these variables.
    pub(crate) fn start(argument: &str, environment: &[(&str, String)]) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program is somewhere"))
            .arg(argument)
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("its address");
        let address = line.trim().parse().expect("its address");
        Self { child, address }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves, in such a process, until the input ends; `bind` makes the server and says where it is.
pub(crate) fn serve(bind: impl FnOnce() -> std::io::Result<(SocketAddr, Server)>) -> ExitCode {
    let served = actix_web::rt::System::new().block_on(async move {
        let (address, server) = bind()?;
        writeln!(std::io::stdout(), "{address}")?;
        let handle = server.handle();
        let system = actix_web::rt::System::current();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            system
                .arbiter()
                .spawn(async move { handle.stop(false).await });
        });
        server.await
    });
    served.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
