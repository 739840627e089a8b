//! Where a copy differs from what was sent, and who is at fault: for the condition `Contested`. Pure.

use serde_json::Value;

use super::owned::owners;
use super::service::SERVICE_MANAGER;
use crate::model::plain;

/// The first field whose value in `live` is not the one in `wanted`, as names of properties; an item of a list counts
/// as the list. Fields that only `live` has are no difference.
#[must_use]
pub(crate) fn first(wanted: &Value, live: &Value) -> Option<Vec<String>> {
    let mut path = Vec::new();
    find(wanted, Some(live), &mut path).then_some(path)
}

fn find(wanted: &Value, live: Option<&Value>, path: &mut Vec<String>) -> bool {
    match (wanted, live) {
        // A server may drop nulls and need not keep empty objects.
        (Value::Null, _) => false,
        (Value::Object(wanted), None) => !wanted.is_empty(),
        (Value::Object(wanted), Some(Value::Object(live))) => wanted.iter().any(|(key, inner)| {
            path.push(key.clone());
            let found = find(inner, live.get(key), path);
            if !found {
                path.pop();
            }
            found
        }),
        (Value::Array(wanted), Some(Value::Array(live))) => {
            // Others may have items beside ours in lists that are merged.
            wanted.iter().any(|item| !live.iter().any(|other| !find(item, Some(other), &mut Vec::new())))
        }
        (Value::Number(wanted), Some(Value::Number(live))) => wanted != live && wanted.as_f64() != live.as_f64(),
        (wanted, Some(live)) => wanted != live,
        (_, None) => true,
    }
}

/// Who changed a field of a copy: the sentence's end after "in the service cluster, ".
#[must_use]
pub(crate) fn culprit(path: &[String], live: &Value, by_admission: bool) -> String {
    let field = format!(".{}", path.join("."));
    if by_admission {
        return format!("an admission webhook or policy stores another value in {field}");
    }
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match owners(live, &names, SERVICE_MANAGER)[..] {
        [] => format!("an admission webhook or policy, or somebody who left no trace, keeps changing {field}"),
        [one] => format!("the field manager {} keeps changing {field}", plain::name(one)),
        ref several => {
            let names: Vec<_> = several.iter().map(|name| plain::name(name)).collect();
            format!("the field managers {} keep changing {field}", names.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_first_field_that_differs() {
        let wanted = json!({"spec": {"size": 3, "ports": [{"name": "a"}], "none": null, "empty": {}}});
        let live = |size: i64, name: &str| json!({"spec": {"size": size, "more": 1, "ports": [{"name": "b"}, {"name": name, "port": 1}]}});
        assert_eq!(first(&wanted, &live(3, "a")), None);
        assert_eq!(first(&wanted, &live(4, "a")), Some(vec!["spec".into(), "size".into()]));
        assert_eq!(first(&wanted, &live(3, "c")), Some(vec!["spec".into(), "ports".into()]));
        assert_eq!(first(&json!({"a": 1.0}), &json!({"a": 1})), None);
    }

    #[test]
    fn who_is_at_fault() {
        let live = json!({"metadata": {"managedFields": [
            {"manager": "hpa", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:size": {}}}}]}});
        let path = ["spec".to_owned(), "size".to_owned()];
        assert_eq!(culprit(&path, &live, false), "the field manager hpa keeps changing .spec.size");
        assert_eq!(culprit(&path, &live, true), "an admission webhook or policy stores another value in .spec.size");
    }
}
