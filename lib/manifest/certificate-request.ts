// The certificate request of the documentation, in the form of the object that the API server takes. The key of this one
// is nobody's: `loadtest cert request` makes the object for a key of yours.
import { ownSigner } from "./names.ts";

const sampleRequest = `-----BEGIN CERTIFICATE REQUEST-----
MIIBejCCASACAQAwLDEqMCgGA1UEAwwhdmFsaWRhdGluZy1jb250cm9sbGVyLmRl
ZmF1bHQuc3ZjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEuQWsA5FiQlgFwdds
lLft5faDaCsmkzme1YGu9fyat/adNYP3uxwVk0gLUSBeC46fgTpQCDzxZgIxSnQ1
kvJ/wKCBkTCBjgYJKoZIhvcNAQkOMYGAMH4wfAYDVR0RBHUwc4IhdmFsaWRhdGlu
Zy1jb250cm9sbGVyLmRlZmF1bHQuc3Zjgh12YWxpZGF0aW5nLWNvbnRyb2xsZXIu
ZGVmYXVsdIIvdmFsaWRhdGluZy1jb250cm9sbGVyLmRlZmF1bHQuc3ZjLmNsdXN0
ZXIubG9jYWwwCgYIKoZIzj0EAwIDSAAwRQIgKalKhVKhffGWIPZCtTDWK9RffKuI
b9wdjeWPozn2bHcCIQCL/4OhpfrYGYrvuZieuPS74zaxTC1SkU2CxJrJxh6NxA==
-----END CERTIFICATE REQUEST-----
`;

export function sampleCertificateRequest(): object {
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "validating-controller.default" },
    spec: {
      request: btoa(sampleRequest),
      signerName: ownSigner,
      usages: ["digital signature", "key encipherment", "server auth"],
    },
  };
}
