//! Addresses and blocks of them (CIDR, RFC 4632 and RFC 4291). An IPv4 address is in no IPv6 block, nor the reverse.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses; a single address is a block of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Block {
    pub(crate) v6: bool,
    /// The first address.
    pub(crate) first: u128,
    /// The last one.
    pub(crate) last: u128,
}

impl Block {
    /// Reads an address or a block; bits beyond the prefix are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => {
                if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                (address, Some(prefix.parse::<u32>().ok()?))
            }
        };
        let (v6, bits, value) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (false, 32, u128::from(u32::from(v4))),
            IpAddr::V6(v6) => (true, 128, u128::from(v6)),
        };
        let prefix = prefix.unwrap_or(bits);
        let host = bits.checked_sub(prefix)?;
        let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |one| one - 1);
        Some(Self { v6, first: value & !mask, last: value | mask })
    }

    /// The block as text: its first address and the length of its prefix.
    pub(crate) fn written(&self) -> String {
        let host = u128::BITS - (self.last ^ self.first).leading_zeros();
        if self.v6 {
            return format!("{}/{}", Ipv6Addr::from(self.first), 128 - host);
        }
        let first = u32::try_from(self.first).unwrap_or(u32::MAX);
        format!("{}/{}", Ipv4Addr::from(first), 32 - host)
    }

    /// Whether all of `other` lies in it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::Block;

    fn holds(block: &str, address: &str) -> bool {
        Block::parse(block).unwrap().contains(&Block::parse(address).unwrap())
    }

    #[test]
    fn blocks_hold_their_addresses() {
        assert!(holds("203.0.113.0/24", "203.0.113.7"));
        assert!(holds("203.0.113.77/24", "203.0.113.7"), "host bits are ignored");
        assert!(!holds("203.0.113.0/24", "203.0.114.7"));
        assert!(holds("0.0.0.0/0", "255.255.255.255"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:0:0:0:1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(holds("10.0.0.1", "10.0.0.1"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "a.b.c.d",
            "010.0.0.1",
            "10.0.0.*",
        ] {
            assert_eq!(Block::parse(text), None, "{text}");
        }
    }
}
