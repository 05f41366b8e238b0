import * as pulumi from "./pulumi";

/**
 * A value in which some properties are only known later, once all are. The SDK's own way makes an Output of every property
 * at every depth, which takes seconds for 10,000 tenants; here each Output is awaited once, however many share it.
 */
export function resolved<Value>(value: Value): pulumi.Output<pulumi.Unwrap<Value>> {
  const places = new Map<unknown, number>();
  const isLate = (one: unknown): boolean => pulumi.Output.isInstance(one) || one instanceof Promise;
  const visit = (one: unknown, at: (late: unknown) => unknown): unknown => {
    if (isLate(one)) return at(one);
    if (Array.isArray(one)) return one.map((item) => visit(item, at));
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, item]) => [key, visit(item, at)]));
  };
  visit(value, (late) => {
    if (!places.has(late)) places.set(late, places.size);
  });
  return pulumi
    .all([...places.keys()] as pulumi.Input<unknown>[])
    .apply((known) => visit(value, (late) => known[places.get(late)!]) as pulumi.Unwrap<Value>);
}
