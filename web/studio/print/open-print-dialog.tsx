import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { SelectedPhoto } from "../photos/selection.ts";
import { toastError } from "../ui/toasts.tsx";

interface PrintProps {
  readonly photos: readonly SelectedPhoto[];
  readonly onClose: () => void;
}

/** The print dialog, whose code is loaded when it is first opened. */
export function OpenPrintDialog(props: PrintProps) {
  const [Loaded, setLoaded] = useState<FunctionComponent<PrintProps> | null>(null);
  useEffect(() => {
    import("./print-dialog.tsx").then(
      ({ PrintDialog }) => setLoaded(() => PrintDialog),
      (error) => {
        toastError(error);
        props.onClose();
      },
    );
  }, []);
  return Loaded && <Loaded {...props} />;
}
