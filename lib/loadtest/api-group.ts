// The API group of the kinds, and the one version there is.

export const apiGroup = "beta.kuar.com";
export const apiVersion = `${apiGroup}/v1`;
