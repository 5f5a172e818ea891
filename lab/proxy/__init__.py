"""What kube-proxy, CoreDNS and an ingress controller are to Kubernetes: from a name to a pod that is ready.

`agent` reads Services, EndpointSlices and Ingresses through the client and says what the data plane should do;
`program` is the data plane, a process of its own that goes on when all else is down. They share a protocol, no code.
"""
