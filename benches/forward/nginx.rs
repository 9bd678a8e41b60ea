//! nginx with a static file, where it is installed.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::Question;
use crate::served::disk;

/// The server, until it is dropped.
pub(super) struct Nginx {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Nginx {
    /// Starts one; `None` where there is none.
    pub(super) fn start() -> Option<Self> {
        let installed = Command::new("nginx")
            .arg("-v")
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success());
        if !installed {
            return None;
        }
        let directory = tempfile::tempdir_in(disk()).expect("a directory");
        let root = directory.path().display().to_string();
        // Whoever was given the port a moment ago has let go of it.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        std::fs::write(directory.path().join("file"), "hello").expect("it is written");
        let configuration = format!(
            "daemon off;\nworker_processes auto;\npid {root}/pid;\nerror_log {root}/error.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n  \
             keepalive_requests 1000000000;\n  client_body_temp_path {root}/body;\n  \
             proxy_temp_path {root}/proxy;\n  fastcgi_temp_path {root}/fastcgi;\n  \
             uwsgi_temp_path {root}/uwsgi;\n  scgi_temp_path {root}/scgi;\n  \
             server {{ listen {address}; root {root}; location / {{ try_files /file =404; }} }}\n}}\n"
        );
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, configuration).expect("it is written");
        let child = Command::new("nginx")
            .arg("-e")
            .arg(directory.path().join("error.log"))
            .arg("-c")
            .arg(&file)
            .spawn()
            .expect("it starts");
        let nginx = Self {
            child,
            address,
            _directory: directory,
        };
        let tries = 0..200;
        let mut connects = tries.map(|_| {
            std::thread::sleep(Duration::from_millis(20));
            TcpStream::connect(address).is_ok()
        });
        assert!(connects.any(|it| it), "nginx does not listen");
        Some(nginx)
    }

    /// The same question as of all others, of which it takes no notice.
    pub(super) fn question(&self) -> Question {
        let cookie = format!("Cookie: gatelog_app={}\r\n", "x".repeat(400));
        super::question(self.address, super::Shown::Cookie, &cookie)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it when it is asked; killed, it would leave them.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}
