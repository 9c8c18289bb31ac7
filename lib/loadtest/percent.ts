// Percentages as people write them: "0.1%", "99%".

/** From 0% to 100%. The same expression stands in the CRD. */
export const percentPattern = "^(100(\\.0+)?|[0-9]{1,2}(\\.[0-9]+)?)%$";
const wholePercent = new RegExp(percentPattern);

/** The share, 0 to 1, that a text such as `0.1%` says; undefined when it says none. */
export function parsePercent(text: string): number | undefined {
  return wholePercent.test(text) ? Number(text.slice(0, -1)) / 100 : undefined;
}

/** `0.12%` of a share from 0 up, with as many digits as tell it from 0 and from 1. */
export function formatPercent(share: number): string {
  const percent = share * 100;
  const fromEnd = Math.min(percent, Math.abs(100 - percent));
  const digits = fromEnd <= 0 ? 0 : Math.min(9, Math.max(1, 1 - Math.floor(Math.log10(fromEnd))));
  return `${Number(percent.toFixed(digits))}%`;
}
