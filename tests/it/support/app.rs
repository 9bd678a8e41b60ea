//! An app that shows codes, set up by an address as from a picture.

use gatelog::clock::Clock;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::Canaries;

/// An app with one account in it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    key: Vec<u8>,
    digits: usize,
    /// How many seconds its clock is ahead of the machine's.
    pub(crate) shift: i64,
}

impl App {
    /// Reads an address; the canaries learn the key in it.
    pub(crate) fn of(address: &str, canaries: &Canaries) -> Self {
        let address = url::Url::parse(address).expect("an address");
        assert_eq!(
            (address.scheme(), address.host_str()),
            ("otpauth", Some("totp"))
        );
        let of = |name: &str| {
            let mut pairs = address.query_pairs();
            let found = pairs.find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("no {name}")).1.into_owned()
        };
        assert_eq!(
            (of("algorithm").as_str(), of("period").as_str()),
            ("SHA1", "30")
        );
        let letters = of("secret");
        let key = base32(&letters);
        let hexadecimal = base16ct::lower::encode_string(&key);
        canaries.secret("the key of an app", &letters);
        canaries.secret("the key of an app in hexadecimal", &hexadecimal);
        Self {
            key,
            digits: of("digits").parse().expect("a number"),
            shift: 0,
        }
    }

    /// The code that it shows so many steps from now.
    pub(crate) fn code(&self, steps: i64) -> String {
        let now = Clock::system().now().as_second() + self.shift;
        let step = now / 30 + steps;
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.key).expect("any key");
        mac.update(&step.to_be_bytes());
        let sum: [u8; 20] = mac.finalize().into_bytes().into();
        let from = usize::from(sum[19] & 15);
        let four: [u8; 4] = sum[from..from + 4].try_into().expect("four bytes");
        let number = u64::from(u32::from_be_bytes(four) & 0x7fff_ffff);
        let digits = self.digits;
        let most = 10_u64.pow(u32::try_from(digits).expect("few digits"));
        format!("{:0digits$}", number % most)
    }

    /// A code that it does not show for minutes.
    pub(crate) fn wrong_code(&self) -> String {
        self.code(1_000)
    }
}

fn base32(letters: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            other => panic!("{other} is no letter"),
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    bytes
}
