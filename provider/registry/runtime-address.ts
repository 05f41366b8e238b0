/**
 * The address of a tenant that an application made at run time: `runtime//<how its name was made>/<name>`. No stack is
 * called like that, so the claim is in nobody's state: `adopt: "unowned"` takes it over.
 */
export const runtimePrefix = "runtime//";

export const runtimeAddress = (scheme: string, name: string): string => `${runtimePrefix}${scheme}/${name}`;

export const isRuntimeAddress = (address: string): boolean => address.startsWith(runtimePrefix);
