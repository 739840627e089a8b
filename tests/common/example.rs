//! A small repository with a service of two fields that matter.

use std::fs;
use std::path::Path;

/// A CRD with a required field, a default, a list, a map and a listed value.
pub(crate) const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.com
spec:
  group: example.com
  names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          spec:
            type: object
            required: [image, size]
            properties:
              image: {type: string}
              labels: {type: object, additionalProperties: {type: string}}
              listeners:
                type: array
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    port: {type: integer, default: 80}
              mode: {type: string, enum: [one, many], default: one}
              size: {type: integer, description: How large it is.}
          status:
            type: object
            properties:
              phase: {type: string}
";

const SET: &str = "\
apiVersion: catalog.kubecarrier.io/v1alpha1
kind: CatalogEntrySet
metadata:
  name: thing
  namespace: team-a
spec:
  metadata:
    displayName: Thing
    shortDescription: A thing
  discover:
    crd:
      name: things.example.com
    serviceClusterSelector: {}
  derive:
    expose:
    - versions: [v1]
      fields:
";

/// Makes the repository in `root`, which `carrier init` has filled, with these fields exposed.
pub(crate) fn offer(root: &Path, fields: &[&str]) {
    let lines = fields.iter().map(|f| format!("      - jsonPath: {f}\n")).collect::<Vec<_>>().concat();
    fs::write(root.join("catalogs/example.yaml"), format!("{SET}{lines}")).unwrap();
    let folder = root.join("snapshots/team-a/eu-west-1");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("things.example.com.yaml"), CRD).unwrap();
}
