//! Names the build after its source: two programs of one version may still run different code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// FNV-1a with 64 bits. Nobody is to be kept from making a collision, so it needs no more.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=Cargo.lock");
    let mut files = Vec::new();
    collect(Path::new("src"), &mut files)?;
    // Absent where this is a dependency of something else.
    let lock = PathBuf::from("Cargo.lock");
    files.extend(lock.exists().then_some(lock));
    files.sort();
    let mut hash = OFFSET;
    for file in files {
        let name = file.to_string_lossy().into_owned();
        let body = fs::read(&file)?;
        let length = body.len().to_le_bytes();
        let bytes = name.bytes().chain([0]).chain(length).chain(body);
        hash = bytes.fold(hash, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
    }
    // Not `GATELOG_`, as settings begin: `cargo run` sets it for the program that it runs as well.
    println!("cargo:rustc-env=BUILD_OF_GATELOG={hash:016x}");
    Ok(())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
