"""Carrying out operations.

`pipeline` sends what can be sent together, and accounts for every message to the operation it is of
`work`     what the kinds work with: transport, keys, indexes, the pipeline
`links`, `wireguard`, `contents`, `containers`  one function for each kind and verb
`executor` a batch from its operations to its outcomes

What is the same for all kinds:

- Adding what exists is EEXIST and changes nothing, whoever's it is: the observation was stale, and the next
  one will tell. Exceptions, because the kernel itself makes such things or can't tell: a permanent neighbour
  takes over an entry that the kernel has resolved; a WireGuard peer and a sysctl are set whatever they were.
- Deleting what is gone is success.
- A message that could hit a foreign object, had the one before it failed, is never in the same send: in the
  node's own namespace every creation is awaited. In namespaces that are ours the index that we chose names
  our link or nothing.
"""
