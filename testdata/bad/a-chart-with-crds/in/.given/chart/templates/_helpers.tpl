{{- define "x" }}{{- end }}
