//! Where a kubeconfig that is not trusted may lead: not to the machine that reads it, not to the link it is on, and not
//! to the API of the cluster it runs in.
//!
//! A name can lead elsewhere a moment after it was looked up, so looking it up before a connection proves nothing: the
//! addresses are judged that the connection is then made to. On doubt there is no connection.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::lookup_host;

/// The name of the API of the cluster in which a Pod runs.
const API_OF_POD: &str = "kubernetes.default.svc";

/// The addresses that may not be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    /// What errors call the kubeconfig.
    subject: String,
    /// The host of the API of the cluster that this process runs in; `None` outside of one.
    own_api: Option<String>,
}

/// A destination that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject} points at {place}")]
pub(crate) struct Refused {
    subject: String,
    place: &'static str,
}

impl Fence {
    /// A fence around the kubeconfig that errors call `subject`. In a Pod, `own_api` is the host that
    /// `$KUBERNETES_SERVICE_HOST` names.
    pub(crate) fn new(subject: impl Into<String>, own_api: Option<String>) -> Self {
        Self { subject: subject.into(), own_api }
    }

    /// Judges what a host says of itself: names of this machine and of the cluster's own API, and addresses.
    ///
    /// # Errors
    /// When it may not be connected to.
    pub(crate) fn host(&self, host: &str) -> Result<(), Refused> {
        let host = plain(host);
        if host == "localhost" || host.ends_with(".localhost") {
            return Err(self.refused("this machine"));
        }
        let own = ["kubernetes", "kubernetes.default"];
        if own.contains(&host.as_str()) || host.starts_with("kubernetes.default.") {
            return Err(self.refused("the cluster it is read in"));
        }
        host.parse().map_or(Ok(()), |address| self.address(address, &[]))
    }

    /// The addresses of a host, all of which may be connected to.
    ///
    /// # Errors
    /// When it is unknown, or one of its addresses may not be connected to: [`Refused`].
    pub(crate) async fn addresses(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        self.host(host)?;
        let found: Vec<SocketAddr> = lookup_host((plain(host).as_str(), port)).await?.collect();
        let own = self.own_addresses().await?;
        // One bad address is enough: which of them is taken is not decided here.
        for address in &found {
            self.address(address.ip(), &own)?;
        }
        Ok(found)
    }

    fn address(&self, address: IpAddr, own: &[IpAddr]) -> Result<(), Refused> {
        if is_local(address) {
            return Err(self.refused("this machine or its link"));
        }
        match own.contains(&address.to_canonical()) {
            true => Err(self.refused("the cluster it is read in")),
            false => Ok(()),
        }
    }

    /// The addresses of the API of the cluster that this process runs in. Not every Pod can look up its name (one in the
    /// network of its node cannot), so an address in the environment is enough; a name there has to be known.
    async fn own_addresses(&self) -> Result<Vec<IpAddr>, std::io::Error> {
        let Some(host) = &self.own_api else { return Ok(Vec::new()) };
        let look_up = async |host: &str| {
            let found = lookup_host((host, 443)).await?;
            Ok::<Vec<IpAddr>, std::io::Error>(found.map(|found| found.ip().to_canonical()).collect())
        };
        let mut own = look_up(&plain(host)).await?;
        own.extend(look_up(API_OF_POD).await.unwrap_or_default());
        Ok(own)
    }

    fn refused(&self, place: &'static str) -> Refused {
        Refused { subject: self.subject.clone(), place }
    }
}

/// A host as resolvers take it: in lower case, without the brackets of an address and the dot at the end.
fn plain(host: &str) -> String {
    host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_local_v4(v4),
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || embedded(v6).is_some_and(is_local_v4)
        }
    }
}

fn is_local_v4(v4: Ipv4Addr) -> bool {
    v4.is_loopback() || v4.octets()[0] == 0 || v4.is_link_local() || v4.is_broadcast() || v4.is_multicast()
}

/// The address of version 4 that a gateway makes of one of version 6: IPv4-compatible, NAT64, 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(of(high, low))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(own_api: Option<&str>) -> Fence {
        Fence::new("it", own_api.map(str::to_owned))
    }

    #[test]
    fn local_addresses_are_known_in_every_spelling() {
        for local in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(is_local(local.parse().unwrap()), "{local}");
        }
        for other in ["10.0.0.1", "192.168.0.1", "100.64.0.1", "fd00::1", "2001:db8::1", "64:ff9b::a00:1"] {
            assert!(!is_local(other.parse().unwrap()), "{other}: private networks are where clusters are");
        }
    }

    #[test]
    fn names_and_addresses_are_judged_without_asking_anybody() {
        let said = |host: &str| fence(None).host(host).map_err(|refused| refused.to_string());
        for host in ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "[::1]", "169.254.169.254"] {
            assert!(said(host).is_err_and(|said| said.starts_with("it points at this machine")), "{host}");
        }
        for host in ["kubernetes", "kubernetes.default", "Kubernetes.default.svc.cluster.local."] {
            assert_eq!(said(host), Err("it points at the cluster it is read in".to_owned()), "{host}");
        }
        for host in ["a.example.com", "10.0.0.1", "kubernetes.example.com", "localhost.example.com"] {
            assert_eq!(said(host), Ok(()), "{host}");
        }
    }

    #[tokio::test]
    async fn the_addresses_that_are_connected_to_are_judged() {
        let said = async |fence: &Fence, host: &str| {
            let error = fence.addresses(host, 443).await.err()?;
            Some(error.downcast_ref::<Refused>().map(ToString::to_string))
        };
        // Resolvers read these as 127.0.0.1, and addresses have to be spelt out.
        for host in ["127.1", "2130706433", "0x7f.1"] {
            assert_eq!(said(&fence(None), host).await, Some(Some("it points at this machine or its link".to_owned())));
        }
        assert_eq!(said(&fence(None), "10.96.0.1").await, None);
        let own = Some(Some("it points at the cluster it is read in".to_owned()));
        assert_eq!(said(&fence(Some("10.96.0.1")), "10.96.0.1").await, own);
        assert_eq!(said(&fence(Some("10.96.0.1")), "::ffff:10.96.0.1").await, own);
        assert_eq!(said(&fence(Some("10.96.0.1")), "10.96.0.2").await, None);
        // A failed lookup is no permission, neither of the host nor of what it must not be.
        assert_eq!(said(&fence(None), "unknown.invalid").await, Some(None));
        assert_eq!(said(&fence(Some("unknown.invalid")), "10.96.0.2").await, Some(None));
    }
}
