/** A count with its unit, in the plural where it is due. */
export function amount(count: number, unit?: string): string {
  const text = count.toLocaleString("en");
  return unit === undefined ? text : `${text} ${unit}${count === 1 ? "" : "s"}`;
}

/** A duration for people, from its seconds. */
export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
