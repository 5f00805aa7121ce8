"""The table of verbs: the only place that knows which module does what."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.cli.lazy import Branch, Verb

VERBS: Mapping[str, Verb | Branch] = {
    "init": Verb("init", "Start a new ledger with its root key."),
    "trust": Verb("trust", "Tell a clone which anchor and root keys to believe."),
    "key": Branch(
        "Your SSH key, and git's own signing.",
        {
            "new": Verb("key_new", "Make an SSH key."),
            "list": Verb("key_list", "List your SSH keys, and what the ledger lets each do."),
            "show": Verb("key_show", "Show the key that signs, to hand out its public half."),
            "setup": Verb("key_setup", "Make plain `git commit` sign so that nodes accept it."),
        },
    ),
    "farm": Branch(
        "Sites with nodes, and what their farmers allow.",
        {
            "add": Verb("farm_add", "Write a farm into the ledger (signed by root)."),
            "grant": Verb("farm_grant", "Let a tenant place resources on a farm (signed by a farmer)."),
            "open-grant": Verb("farm_open_grant", "Let in tenants without a grant (signed by a farmer)."),
            "revoke-grant": Verb("farm_revoke_grant", "Take a tenant's grant back (signed by a farmer)."),
            "remove": Verb("farm_remove", "Strike a farm out (signed by root)."),
        },
    ),
    "node": Branch(
        "The hosts that run networks.",
        {
            "init": Verb("node_init", "Make this host's identity and describe the host as YAML."),
            "add": Verb("node_add", "Write a node into the ledger (signed by a farmer)."),
            "remove": Verb("node_remove", "Take a node out of the ledger (signed by a farmer)."),
            "config": Verb("node_config", "Write the agent's configuration on this host."),
            "reanchor": Verb("node_reanchor", "Let this node leave a fork by root's record."),
        },
    ),
    "tenant": Branch(
        "Who buys networks.",
        {
            "prove": Verb("tenant_prove", "Show that you hold a key, for root to write down."),
            "add": Verb("tenant_add", "Write a tenant into the ledger (signed by root)."),
            "rotate": Verb("tenant_rotate", "Change a tenant's keys (signed by the tenant)."),
            "withdraw": Verb("tenant_withdraw", "Take back consent that isn't merged yet (the tenant)."),
            "remove": Verb("tenant_remove", "Leave the ledger for ever (signed by the tenant)."),
            "suspend": Verb("tenant_suspend", "Stop all networks of a tenant (signed by root)."),
            "resume": Verb("tenant_resume", "Let them run again (signed by root)."),
            "recover": Verb("tenant_recover", "Give a locked-out tenant new keys (signed by root)."),
        },
    ),
    "network": Branch(
        "Tenant networks (signed by the tenant).",
        {
            "create": Verb("network_create", "Buy a new network, with its first resources."),
            "add-node": Verb("network_add_node", "Extend a network to a node."),
            "remove-node": Verb("network_remove_node", "Take a network off a node."),
            "reseal": Verb("network_reseal", "Give a network's resources fresh keys."),
            "renumber": Verb("network_renumber", "Give it free numbers where others were faster."),
            "delete": Verb("network_delete", "Give a network up."),
        },
    ),
    "commit": Verb("commit", "Commit documents that you edited by hand."),
    "check": Verb("check", "Would it be accepted, and why not?"),
    "log": Verb("log", "List the ledger's transactions: verdict, signer, reason."),
    "diff": Verb("diff", "Show what was rejected and still lies in the tree."),
    "trace": Verb("trace", "Which commit and whose key a line or a kernel object comes from."),
    "ledger": Verb("ledger", "What tenants bought and farmers granted, computed from the ledger."),
    "adopt": Verb("adopt", "Take over what was squashed, unsigned or rejected, by your signature."),
    "repair": Verb("repair", "Bring files back to what is in effect."),
    "checkpoint": Branch(
        "Signed statements about how far the ledger has come.",
        {
            "witness": Verb("checkpoint_witness", "Sign what you see now (a machine of its own)."),
            "snapshot": Verb("checkpoint_snapshot", "Sign the whole state, for new nodes (root)."),
            "sign": Verb("checkpoint_sign", "Add your signature to one that waits for more."),
            "show": Verb("checkpoint_show", "Show what lies on the checkpoints' branch."),
            "verify": Verb("checkpoint_verify", "Hold checkpoints against what you come to yourself."),
        },
    ),
    "reanchor": Branch(
        "Root's word on which side of a fork the ledger goes on.",
        {
            "create": Verb("reanchor_create", "Make a record that leads off a fork (signed by root)."),
            "sign": Verb("reanchor_sign", "Add another root's signature to a record."),
            "show": Verb("reanchor_show", "Show a record, who signed it, and whether it is true."),
        },
    ),
    "receipt": Verb("receipt", "Write a file that proves a purchase offline; check one."),
    "rollback": Verb("rollback", "Take a transaction back, by a new signed one."),
    "plan": Verb("plan", "Show what would change on this node."),
    "apply": Verb("apply", "Converge this node once."),
    "agent": Verb("agent", "Keep this node converged, for ever."),
    "status": Verb("status", "Show what this node's agent knows."),
    "attach": Verb("attach", "Plug a network namespace into a network on this node."),
    "detach": Verb("detach", "Pull a network namespace out of a network on this node."),
    "server-hook": Branch(
        "Let a Git server refuse what nodes would reject.",
        {
            "install": Verb("server_hook_install", "Put the hook into a server's repository."),
            "uninstall": Verb("server_hook_uninstall", "Take the hook away again."),
            "status": Verb("server_hook_status", "Show whether it is in force, and the ledger there."),
            "run": Verb("server_hook_run", "Judge a push (for the hook itself)."),
        },
    ),
    "lab": Verb("lab", "A farm of nodes on this one machine."),
    "completion": Verb("completion", "Print the completion script for a shell."),
}
