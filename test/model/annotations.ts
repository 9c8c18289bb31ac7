// How much an object's annotations may say together
// (https://github.com/kubernetes/apimachinery/blob/master/pkg/api/validation/objectmeta.go).

export const mostAnnotationBytes = 256 * 1024;

export function areAnnotationsTooLong(annotations: Readonly<Record<string, string>> = {}): boolean {
  const bytes = Object.entries(annotations)
    .flat()
    .map((text) => Buffer.byteLength(text));
  return bytes.reduce((sum, one) => sum + one, 0) > mostAnnotationBytes;
}
