//! The name that the user has logged in with.

use std::os::unix::fs::MetadataExt;
use std::{env, fs};

use super::protocol::is_name;

/// The login name: `$LOGNAME`, as environ(7) has it and getlogin(3) recommends, else `$USER`, else the
/// name that `/etc/passwd` has for the owner of this process, as `getpwuid(getuid())` would find it.
/// `None` if none of them is a [name](is_name).
///
/// The environment says what its user wants it to. That is good enough for a chat and for nothing else.
#[doc(alias = "getlogin")]
#[doc(alias = "getpwuid")]
pub fn login_name() -> Option<String> {
    let set = |name| env::var(name).ok().filter(|name| is_name(name));
    let owner = || {
        let uid = fs::metadata("/proc/self").ok()?.uid();
        name_of(uid, &fs::read_to_string("/etc/passwd").ok()?).filter(|name| is_name(name))
    };
    set("LOGNAME").or_else(|| set("USER")).or_else(owner)
}

/// The name with this user ID among the lines `name:password:uid:…`.
fn name_of(uid: u32, passwd: &str) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found = fields.nth(1)?.parse() == Ok(uid);
        found.then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\nzoe:x:1000:1000::/home/zoe:/bin/sh\n";
        assert_eq!(name_of(1000, passwd).as_deref(), Some("zoe"));
        assert_eq!(name_of(1, passwd), None);
    }
}
