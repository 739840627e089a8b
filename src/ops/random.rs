//! Random names: of a repository, once in its life, and of a run of `carrier apply`. Nothing else that carrier writes from
//! a repository is random.

/// A new name of 32 hexadecimal digits.
#[must_use]
pub(crate) fn id() -> String {
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use crate::model::lock::Lock;

    #[test]
    fn a_name_is_that_of_no_other() {
        let (one, two) = (super::id(), super::id());
        assert!(Lock::is_identity(&one) && Lock::is_identity(&two), "{one} {two}");
        assert_ne!(one, two);
    }
}
