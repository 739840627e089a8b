//! No secret in any output: kubeconfigs in files, variables and Secrets, and passwords in presets and
//! instances, against everything that carrier prints on both streams, in every form, with `-v`.

use serde_json::Value;

use super::platform::{BASE, Platform};
use crate::support::{Case, TestResult, cases};

pub(crate) fn cases() -> Vec<Case> {
    cases![no_command_shows_a_credential]
}

const PRESET: &str = "preset-hunter2";
const DEFAULT: &str = "default-hunter2";
const INSTANCE: &str = "instance-hunter2";

async fn no_command_shows_a_credential() -> TestResult {
    let platform = Platform::new(&["eu-west-1", "eu-west-2"]).await?;
    platform.register("eu-west-2");
    platform.write("carrier.yaml", "serviceClusters:\n  team-a/eu-west-2: {env: EU_WEST_2}\n");
    platform.edit("catalogs/redis.yaml", "      - jsonPath: .spec.global.password\n", "");
    platform.edit(
        "catalogs/redis.yaml",
        "      fields:\n",
        &format!("      presets:\n      - jsonPath: .spec.global.password\n        value: {PRESET}\n      fields:\n"),
    );
    let second = std::fs::read_to_string(platform.planes["eu-west-2"].kubeconfig_path())?;
    let mut needles: Vec<String> = vec![PRESET.to_owned(), DEFAULT.to_owned(), INSTANCE.to_owned()];
    for plane in platform.planes.iter() {
        let text = std::fs::read_to_string(plane.kubeconfig_path())?;
        let values = text.lines().filter_map(|line| line.split_once("-data: "));
        needles.extend(values.map(|(_, value)| value.trim().trim_matches('"').chars().take(60).collect::<String>()));
    }
    assert!(needles.len() > 6, "the kubeconfigs hold certificates and keys");

    let run = async |args: &[&str], variable: &str, codes: &[i32]| -> TestResult {
        let mut args = args.to_vec();
        args.push("--allow-loopback");
        let output = platform.command(&args).env("EU_WEST_2", variable).output().await?;
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        for needle in &needles {
            assert!(!text.contains(needle.as_str()), "{args:?} shows {needle:.12}…:\n{text}");
        }
        let code = output.status.code().unwrap_or(-1);
        assert!(codes.contains(&code), "{args:?} ends with {code}:\n{text}");
        Ok(())
    };
    run(&["-v", "lock"], &second, &[0]).await?;
    run(&["-v", "plan", "-o", "json"], &second, &[0]).await?;
    run(&["-v", "apply", "--yes"], &second, &[0]).await?;
    platform
        .instance(
            "eu-west-1",
            "mine",
            &format!("{{mode: standalone, global: {{image: {INSTANCE}}}, redisConfig: {{}}, service: {{type: ClusterIP}}, redisExporter: {{enabled: true, image: {INSTANCE}}}}}"),
        )
        .await?;

    // The preset changes, a default is new, and the exposure is narrowed, so that instances are tried.
    platform.edit("catalogs/redis.yaml", PRESET, &format!("{PRESET}-new"));
    let default = format!("      defaults:\n      - jsonPath: .spec.priorityClassName\n        value: {DEFAULT}\n");
    platform.edit("catalogs/redis.yaml", "      fields:\n", &format!("{default}      fields:\n"));
    platform.edit("catalogs/redis.yaml", "      - jsonPath: .spec.size\n", "");
    for form in ["text", "json", "markdown"] {
        run(&["-v", "plan", "-o", form], &second, &[0]).await?;
    }
    run(&["-v", "apply", "--yes"], &second, &[3]).await?;
    run(&["-v", "plan", "--out", "saved.json"], &second, &[0]).await?;
    let saved = std::fs::read_to_string(platform.path("saved.json"))?;
    assert!(needles.iter().all(|needle| !saved.contains(needle.as_str())));
    // The instance would read the default at once: that is said, and which field it is, but not what it reads.
    let saved: Value = serde_json::from_str(&saved)?;
    let change = saved["changes"].as_array().into_iter().flatten().find(|c| c["name"] == "redis.eu-west-1.team-a");
    let impact = &change.ok_or("the CRD changes")?["impact"];
    assert_eq!(impact["changed_count"], 1, "{impact:#}");
    assert_eq!(impact["changed"][0]["fields"], serde_json::json!(["spec.priorityClassName (its default)"]));
    for form in ["text", "wide", "json"] {
        run(&["-v", "get", "-o", form], &second, &[0]).await?;
    }
    run(&["-v", "doctor"], &second, &[0, 1]).await?;
    run(&["-v", "apply", "--yes", "--allow-breaking", "all"], &second, &[0]).await?;
    run(&["-v", "sync", "--once", "--dry-run"], &second, &[0, 2, 5]).await?;
    run(&["-v", "explain", "redis.eu-west-1.team-a/mine", "-n", "team-b"], &second, &[0, 1]).await?;

    // Kubeconfigs that are broken, each in its way, in a variable and in a Secret.
    let broken = [
        second.replace("apiVersion", "apiVersion: ["),
        second.replace("server: https://", "server: ftp://"),
        second.replace("current-context", "no-context"),
        second.replace("client-key-data: ", "client-key-data: !!"),
        second.chars().skip(20).collect(),
    ];
    for text in &broken {
        run(&["-v", "lock"], text, &[4]).await?;
        run(&["-v", "plan"], text, &[4]).await?;
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "eu-west-1-kubeconfig", "namespace": "team-a"},
            "stringData": {"kubeconfig": text},
        });
        platform
            .management()
            .kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &secret.to_string())
            .await?;
        run(&["-v", "lock"], &second, &[4]).await?;
        run(&["-v", "doctor", "-o", "json"], &second, &[1, 4]).await?;
    }

    // An instance of the base kind that the server refuses is not what anybody sees of it either.
    let base = platform.planes["eu-west-1"].kubectl(&["get", "crd", BASE, "-o", "json"]).await?;
    assert!(serde_json::from_str::<Value>(&base).is_ok());
    Ok(())
}
