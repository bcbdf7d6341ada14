// The person who is signed in, for every screen behind the entrance.
import { createContext, useContext } from "react";
import type { Me } from "@/lib/api/types";

const Context = createContext<Me | null>(null);

export const MeProvider = Context.Provider;

export function useMe(): Me {
  const me = useContext(Context);
  if (!me) throw new Error("nobody is signed in");
  return me;
}
