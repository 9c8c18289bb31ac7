// What a shell has to know to ask this program for candidates. Each script hands over the words before the cursor, and
// does what the last line of the answer says: `:0` names of files, `:16` of folders, else only what was given, with the
// bit 2 without a space behind it.
import { completeCommand } from "./invocation.ts";

const bash = `# bash completion for loadtest:  source <(loadtest completion bash)
_loadtest() {
  local line=\${COMP_LINE:0:COMP_POINT} current reply directive=0 at
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[\${#words[@]} - 1]}
  # bash replaces only what stands behind the last of its word breaks, such as = or :
  at=\${#current}
  while ((at > 0)) && [[ $COMP_WORDBREAKS != *"\${current:at-1:1}"* ]]; do at=$((at - 1)); done
  COMPREPLY=()
  while IFS= read -r reply; do
    case $reply in
      :*) directive=\${reply#:} ;;
      *) reply=\${reply%%$'\\t'*} && COMPREPLY+=("\${reply:at}") ;;
    esac
  done < <("\${words[0]/#\\~/$HOME}" ${completeCommand} "\${words[@]:1}" 2>/dev/null)
  type compopt >/dev/null 2>&1 || return 0
  case $directive in
    0) compopt -o default ;;
    16) compopt -o dirnames ;;
    *) if ((directive & 2)); then compopt -o nospace; fi ;;
  esac
}
complete -F _loadtest loadtest kubectl-loadtest
`;

const zsh = `#compdef loadtest kubectl-loadtest
# zsh completion for loadtest:  source <(loadtest completion zsh)
_loadtest() {
  local -a lines values shown nospace
  local line directive=0
  lines=("\${(@f)$("\${(Q)words[1]/#\\~/$HOME}" ${completeCommand} "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${(@)lines}"; do
    case $line in
      :*) directive=\${line#:} ;;
      *)
        values+=("\${line%%$'\\t'*}")
        shown+=("\${line/$'\\t'/  -- }")
        ;;
    esac
  done
  case $directive in
    0) [[ $PREFIX == -*=* ]] && compset -P '*='; _files ;;
    16) [[ $PREFIX == -*=* ]] && compset -P '*='; _files -/ ;;
    *)
      ((directive & 2)) && nospace=(-S '')
      compadd -l -V loadtest -d shown "\${nospace[@]}" -a values
      ;;
  esac
}
if [ "$funcstack[1]" = _loadtest ]; then _loadtest; else compdef _loadtest loadtest kubectl-loadtest; fi
`;

const fish = `# fish completion for loadtest:  loadtest completion fish | source
function __loadtest_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -l lines ($program ${completeCommand} $words[2..-1] 2>/dev/null)
    switch "$lines[-1]"
        case ':0'
            __fish_complete_path (commandline -ct)
        case ':16'
            __fish_complete_directories (commandline -ct)
        case ':*'
            for line in $lines[1..-1]
                string match -q ':*' -- $line; or printf '%s\\n' $line
            end
    end
end
complete -c loadtest -f -a '(__loadtest_complete)'
complete -c kubectl-loadtest -f -a '(__loadtest_complete)'
`;

export const completionScripts = { bash, zsh, fish } as const;
export type Shell = keyof typeof completionScripts;
