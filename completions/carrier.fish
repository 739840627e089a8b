# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_carrier_global_optspecs
    string join \n C= color= q/quiet v/verbose h/help V/version
end

function __fish_carrier_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_carrier_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_carrier_using_subcommand
    set -l cmd (__fish_carrier_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c carrier -n "__fish_carrier_needs_command" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_needs_command" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_needs_command" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_needs_command" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_needs_command" -s V -l version -d 'Print version'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "init" -d 'Start a repository'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "check" -d 'Check a repository and show all its diagnostics'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "lock" -d 'Take the CRDs of the service clusters into the repository'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "render" -d 'Write the manifests that offer the services'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "plan" -d 'Show what applying the repository would change, and for whom'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "apply" -d 'Apply the repository to the clusters'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "sync" -d 'Keep the instances of the services in step between the clusters'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "approve" -d 'Approve deletions of instances that sync holds'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "fields" -d 'Show the fields of a CRD that can be exposed'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "get" -d 'List the instances of the services'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "doctor" -d 'Check versions of the clusters and permissions in them'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "explain" -d 'Explain a diagnostic, or why an instance is as it is'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "schema" -d 'Print a JSON Schema for editors'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "man" -d 'Print the manual page'
complete -c carrier -n "__fish_carrier_needs_command" -f -a "version" -d 'Print the version'
complete -c carrier -n "__fish_carrier_using_subcommand init" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand init" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand init" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand init" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand init" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand check" -s o -l output -d 'Output format' -r -f -a "text\t'For people, on stderr'
json\t'A JSON document on stdout'
sarif\t'SARIF 2.1.0 on stdout, for code scanning'
github\t'Annotations of GitHub Actions on stdout'"
complete -c carrier -n "__fish_carrier_using_subcommand check" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand check" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand check" -l locked -d 'Fail if `carrier lock --offline` would change the lock, or snapshots are unused or not locked'
complete -c carrier -n "__fish_carrier_using_subcommand check" -l exit-zero -d 'Exit with status 0 whatever is found, for jobs that only report'
complete -c carrier -n "__fish_carrier_using_subcommand check" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand check" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l from -d 'Take CRDs from these files and folders, such as the release manifest of an operator, and ask no cluster; `-` for the standard input' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l cluster -d 'Only this service cluster; without it, all' -r
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand lock" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l prune -d 'Remove the snapshots that nothing uses; refused while the repository has errors'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l check -d 'Write nothing; exit with status 2 if something would change'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l offline -d 'Ask no cluster: record namespaces of tenants that have none yet, and with `--prune` remove unused snapshots'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand lock" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand render" -l out -d 'The folder to write; without it, `output` of carrier.yaml' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand render" -l for -d 'Who reads the manifests; without it, `render.for` of carrier.yaml' -r -f -a "plain\t'kubectl or any other reader'
flux\t'Flux: stages that wait for each other'
argo\t'Argo CD: sync waves'"
complete -c carrier -n "__fish_carrier_using_subcommand render" -l cluster -d 'Print those of a service cluster instead' -r
complete -c carrier -n "__fish_carrier_using_subcommand render" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand render" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand render" -l check -d 'Write nothing; list the files that differ with the lines that change, and exit with status 2 if there are any'
complete -c carrier -n "__fish_carrier_using_subcommand render" -l locked -d 'Write nothing if the lock is stale: if `carrier lock --offline` would change it, or snapshots are unused or not locked'
complete -c carrier -n "__fish_carrier_using_subcommand render" -l stdout -d 'Print the manifests of the management cluster as a YAML stream, in the order to apply them'
complete -c carrier -n "__fish_carrier_using_subcommand render" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand render" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l against -d 'Compare with the output of `carrier render`, another repository, or this one at a revision, and ask no cluster' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand plan" -s o -l output -d 'Output format' -r -f -a "text\t'For people'
json\t'A JSON document of `schemas/plan.json`'
markdown\t'A comment for a pull request, at most 60,000 bytes'"
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l out -d 'Also write the plan to this file, for `carrier apply FILE`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l max-prune -d 'The largest number of objects to delete; without it, 10 or a tenth of the inventory' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l allow-breaking -d 'Allow a change that removes what users may be using: `crd/redis.eu-west-1.team-a`, `offering/team-b/redis.eu-west-1.team-a`; all changes that follow from an object of the repository: `catalogentryset/team-a/redis`; or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l allow-delete -d 'Allow a change that destroys instances: `namespace/team-b`, in a service cluster `team-a/eu-west-1:namespace/team-b-x1y2z`; all deletions that follow from the removal of an object of the repository: `account/team-b`, `catalogentryset/team-a/redis`; or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l adopt -d 'Take over an object that exists and is not carrier\'s: `namespace/team-a`, `role/team-a/kubecarrier:provider`, in a service cluster `team-a/eu-west-1:namespace/team-b-x1y2z`, or `all`; all objects of another inventory: `inventory/NAME`' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l force-conflicts -d 'Take over fields of an object that others manage: `KIND/NAME`, in a namespace `KIND/NAMESPACE/NAME`, or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l take-over-from -d 'Take over all fields that a field manager such as `kubectl` has in the objects of the repository' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand plan" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l summary -d 'In text, show only totals and dangerous changes'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l detailed-exitcode -d 'Exit with status 2 if something would change, or would be refused'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l refresh -d 'Plan with the CRDs that the clusters have now instead of the locked ones'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l prune -d 'Delete what the repository no longer has'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l allow-empty -d 'Allow a repository without objects to delete everything'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l no-trial -d 'Do not validate instances against new schemas, for which a temporary CRD is created'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l locked -d 'Fail if a CRD of a cluster differs from the locked one'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l dry-run -d 'Send everything as a dry run; nothing is written' -r -f -a "server\t'In the API servers, including admission'"
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l timeout -d 'The time limit for new CRDs to be served, and for deletions that `carrier sync` carries out' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l max-prune -d 'The largest number of objects to delete; without it, 10 or a tenth of the inventory' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l allow-breaking -d 'Allow a change that removes what users may be using: `crd/redis.eu-west-1.team-a`, `offering/team-b/redis.eu-west-1.team-a`; all changes that follow from an object of the repository: `catalogentryset/team-a/redis`; or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l allow-delete -d 'Allow a change that destroys instances: `namespace/team-b`, in a service cluster `team-a/eu-west-1:namespace/team-b-x1y2z`; all deletions that follow from the removal of an object of the repository: `account/team-b`, `catalogentryset/team-a/redis`; or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l adopt -d 'Take over an object that exists and is not carrier\'s: `namespace/team-a`, `role/team-a/kubecarrier:provider`, in a service cluster `team-a/eu-west-1:namespace/team-b-x1y2z`, or `all`; all objects of another inventory: `inventory/NAME`' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l force-conflicts -d 'Take over fields of an object that others manage: `KIND/NAME`, in a namespace `KIND/NAMESPACE/NAME`, or `all`' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l take-over-from -d 'Take over all fields that a field manager such as `kubectl` has in the objects of the repository' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand apply" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand apply" -s y -l yes -d 'Apply without asking'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l no-wait -d 'Do not wait for CRDs that no other object of this run needs'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l prune -d 'Delete what the repository no longer has'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l allow-empty -d 'Allow a repository without objects to delete everything'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l no-trial -d 'Do not validate instances against new schemas, for which a temporary CRD is created'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l locked -d 'Fail if a CRD of a cluster differs from the locked one'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `$KUBECONFIG`, `~/.kube/config`, or the service account of the Pod' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l only -d 'Work on this service cluster only; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l listen -d 'Where to answer /healthz, /readyz and /metrics, or `off`; without it, 127.0.0.1:9440, in a Pod 0.0.0.0:9440, and with `--once` off' -r
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l replica -d 'The name of this replica, which holds its Leases; without it, the name of the host' -r
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l timeout -d 'How long `--once` works at most, such as 10m' -r
complete -c carrier -n "__fish_carrier_using_subcommand sync" -s o -l output -d 'Output format of `--once`' -r -f -a "text\t'Lines for people'
json\t'A JSON document'"
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l log-format -d 'The form of the log on stderr; `CARRIER_LOG` sets its level' -r -f -a "text\t'Lines for people'
json\t'A JSON object a line'"
complete -c carrier -n "__fish_carrier_using_subcommand sync" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l once -d 'Work until nothing is left to do, and end'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l dry-run -d 'Write nothing, and show what would be written'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -l detailed-exitcode -d 'With `--dry-run`, end with status 2 if something would be written'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s n -l namespace -d 'Only deletions of this account\'s instances' -r
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s y -l yes -d 'Approve without asking'
complete -c carrier -n "__fish_carrier_using_subcommand approve" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand approve" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand fields" -s o -l output -d 'Output format' -r -f -a "tree\t'A tree with types, what is required, defaults, and what is exposed'
list\t'Lines `- jsonPath:` to paste into a CatalogEntrySet'
json\t'A JSON document'"
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l cluster -d 'The CRD of this service cluster; without it, of every service cluster that has it' -r
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l from -d 'Read this file or folder, such as the release manifest of an operator, instead of the repository; `-` for the standard input' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l version -d 'This version of the CRD; without it, those that are exposed, or the stored one' -r
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l path -d 'Only the field at this path, such as .spec.storage, and those below it' -r
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l depth -d 'The number of levels; without it all, or 3 in the tree of a CRD with more than 150 fields' -r
complete -c carrier -n "__fish_carrier_using_subcommand fields" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand fields" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand fields" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand fields" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand fields" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand get" -s n -l namespace -d 'Only those of this account; lists no other namespace, so its members can use it' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -l cluster -d 'Only those in this service cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -s o -l output -d 'Output format' -r -f -a "text\t'A table'
wide\t'A table that also shows whether each exists in its service cluster, and the message of its condition `Synced`'
json\t'A JSON document with the same information as `wide`'"
complete -c carrier -n "__fish_carrier_using_subcommand get" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand get" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand get" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand get" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand get" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand get" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand get" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -s o -l output -d 'Output format' -r -f -a "text\t'For people, with the RBAC at the end'
rbac\t'The RBAC that grants what is missing, for kubectl'
json\t'A JSON document'"
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l for -d 'Check only what this command needs; may be repeated' -r -f -a "lock\t''
plan\t''
trial\t''
apply\t''
prune\t''
get\t''"
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l cluster -d 'Only this cluster: management, or PROVIDER/CLUSTER; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `management` of carrier.yaml, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s n -l namespace -d 'The namespace of the instance: the account of its tenant' -r
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s o -l output -d 'Output format for an instance' -r -f -a "text\t'Lines for people'
json\t'A JSON document'"
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l kubeconfig -d 'The kubeconfig of the management cluster; without it, `$KUBECONFIG`, `~/.kube/config`' -r -F
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l context -d 'The context in it' -r
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l as -d 'Act as this user in the management cluster' -r
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l as-group -d 'Act as a member of this group; may be repeated' -r
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l request-timeout -d 'The time limit of one request, including retries, such as 30s or 2m' -r
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l list -d 'List all codes, one per line'
complete -c carrier -n "__fish_carrier_using_subcommand explain" -l allow-loopback -d 'Allow kubeconfigs from Secrets to point at this machine'
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c carrier -n "__fish_carrier_using_subcommand schema" -l out -d 'Write all schemas into this folder' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand schema" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand schema" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand schema" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand schema" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand schema" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand completions" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand completions" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand completions" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand completions" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand completions" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand man" -l out -d 'Write the pages of all commands into this folder' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand man" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand man" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand man" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand man" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand man" -s h -l help -d 'Print help'
complete -c carrier -n "__fish_carrier_using_subcommand version" -s o -l output -d 'Output format' -r -f -a "text\t'A line'
json\t'A JSON object'"
complete -c carrier -n "__fish_carrier_using_subcommand version" -s C -d 'Run in this folder; may be repeated, each relative to the one before' -r -f -a "(__fish_complete_directories)"
complete -c carrier -n "__fish_carrier_using_subcommand version" -l color -d 'When to colour the output' -r -f -a "auto\t''
always\t''
never\t''"
complete -c carrier -n "__fish_carrier_using_subcommand version" -s q -l quiet -d 'Show only errors and diagnostics'
complete -c carrier -n "__fish_carrier_using_subcommand version" -s v -l verbose -d 'Show more details'
complete -c carrier -n "__fish_carrier_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
