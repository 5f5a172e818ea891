"""The EndpointSlice controller: which pods stand behind a Service, and which of them may be asked now.

Kubernetes has three controllers for it (endpointslice, endpoints for old clients, endpointslicemirroring for Endpoints
written by hand). Here one loop does all three, so that old and new clients are told the same in one transaction.
"""
