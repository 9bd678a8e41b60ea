//! Forward authentication, without a proxy: the tests send what one would send.

mod attacks;
mod browser;
mod ending;
mod login;
mod programs;
mod start_page;
