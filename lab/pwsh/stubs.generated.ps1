function Get-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$DependentServices,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$RequiredServices,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Include,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Exclude,
        [Parameter(ParameterSetName = 'set1', Mandatory)][string[]]$DisplayName,
        [Parameter(ParameterSetName = 'set2', ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Get-Service' $PSBoundParameters $_ }
}
function New-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string]$Name,
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 1)][string]$BinaryPathName,
        [Parameter(ParameterSetName = 'set0')][string]$DisplayName,
        [Parameter(ParameterSetName = 'set0')][string]$Description,
        [Parameter(ParameterSetName = 'set0')][object]$StartupType,
        [Parameter(ParameterSetName = 'set0')][pscredential]$Credential,
        [Parameter(ParameterSetName = 'set0')][string[]]$DependsOn
    )
    process { & $StubHandler 'New-Service' $PSBoundParameters $_ }
}
function Set-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string]$Name,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string[]]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$DisplayName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$Description,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$StartupType,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$Status,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set1', ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Set-Service' $PSBoundParameters $_ }
}
function Start-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0, ValueFromPipeline)][object]$InputObject,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Include,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Exclude,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayName
    )
    process { & $StubHandler 'Start-Service' $PSBoundParameters $_ }
}
function Stop-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0, ValueFromPipeline)][object]$InputObject,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$Force,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$NoWait,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Include,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Exclude,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayName
    )
    process { & $StubHandler 'Stop-Service' $PSBoundParameters $_ }
}
function Restart-Service {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0, ValueFromPipeline)][object]$InputObject,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$Force,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Include,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')][string[]]$Exclude,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayName
    )
    process { & $StubHandler 'Restart-Service' $PSBoundParameters $_ }
}
function New-EventLog {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string]$LogName,
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 1)][string[]]$Source,
        [Parameter(ParameterSetName = 'set0', Position = 2)][string[]]$ComputerName,
        [Parameter(ParameterSetName = 'set0')][string]$CategoryResourceFile,
        [Parameter(ParameterSetName = 'set0')][string]$MessageResourceFile,
        [Parameter(ParameterSetName = 'set0')][string]$ParameterResourceFile
    )
    process { & $StubHandler 'New-EventLog' $PSBoundParameters $_ }
}
function Remove-EventLog {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string[]]$LogName,
        [Parameter(ParameterSetName = 'set0', Position = 1)] [Parameter(ParameterSetName = 'set1', Position = 0)][string[]]$ComputerName,
        [Parameter(ParameterSetName = 'set1')][string[]]$Source
    )
    process { & $StubHandler 'Remove-EventLog' $PSBoundParameters $_ }
}
function New-NetFirewallRule {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory)][string]$DisplayName,
        [Parameter(ParameterSetName = 'set0')][string]$PolicyStore,
        [Parameter(ParameterSetName = 'set0')][string]$GPOSession,
        [Parameter(ParameterSetName = 'set0')][string]$Name,
        [Parameter(ParameterSetName = 'set0')][string]$Description,
        [Parameter(ParameterSetName = 'set0')][string]$Group,
        [Parameter(ParameterSetName = 'set0')][object]$Enabled,
        [Parameter(ParameterSetName = 'set0')][object]$Profile,
        [Parameter(ParameterSetName = 'set0')][string[]]$Platform,
        [Parameter(ParameterSetName = 'set0')][object]$Direction,
        [Parameter(ParameterSetName = 'set0')][object]$Action,
        [Parameter(ParameterSetName = 'set0')][object]$EdgeTraversalPolicy,
        [Parameter(ParameterSetName = 'set0')][bool]$LooseSourceMapping,
        [Parameter(ParameterSetName = 'set0')][bool]$LocalOnlyMapping,
        [Parameter(ParameterSetName = 'set0')][string]$Owner,
        [Parameter(ParameterSetName = 'set0')][string[]]$LocalAddress,
        [Parameter(ParameterSetName = 'set0')][string[]]$RemoteAddress,
        [Parameter(ParameterSetName = 'set0')][string]$Protocol,
        [Parameter(ParameterSetName = 'set0')][string[]]$LocalPort,
        [Parameter(ParameterSetName = 'set0')][string[]]$RemotePort,
        [Parameter(ParameterSetName = 'set0')][string[]]$IcmpType,
        [Parameter(ParameterSetName = 'set0')][object]$DynamicTarget,
        [Parameter(ParameterSetName = 'set0')][string]$Program,
        [Parameter(ParameterSetName = 'set0')][string]$Package,
        [Parameter(ParameterSetName = 'set0')][string]$Service,
        [Parameter(ParameterSetName = 'set0')][object]$InterfaceAlias,
        [Parameter(ParameterSetName = 'set0')][object]$InterfaceType,
        [Parameter(ParameterSetName = 'set0')][string]$LocalUser,
        [Parameter(ParameterSetName = 'set0')][string]$RemoteUser,
        [Parameter(ParameterSetName = 'set0')][string]$RemoteMachine,
        [Parameter(ParameterSetName = 'set0')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')][object]$Encryption,
        [Parameter(ParameterSetName = 'set0')][bool]$OverrideBlockRules,
        [Parameter(ParameterSetName = 'set0')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')][switch]$AsJob
    )
    process { & $StubHandler 'New-NetFirewallRule' $PSBoundParameters $_ }
}
function Set-NetFirewallRule {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][string]$PolicyStore,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][string]$GPOSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$NewDisplayName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Description,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Enabled,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Profile,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$Platform,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Direction,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Action,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$EdgeTraversalPolicy,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][bool]$LooseSourceMapping,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][bool]$LocalOnlyMapping,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Owner,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$LocalAddress,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$RemoteAddress,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Protocol,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$LocalPort,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$RemotePort,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string[]]$IcmpType,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$DynamicTarget,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Program,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Package,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$Service,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$InterfaceAlias,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$InterfaceType,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$LocalUser,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$RemoteUser,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][string]$RemoteMachine,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$Encryption,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][bool]$OverrideBlockRules,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set1', Mandatory)][string[]]$DisplayName,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayGroup,
        [Parameter(ParameterSetName = 'set3', Mandatory)][string[]]$Group,
        [Parameter(ParameterSetName = 'set4', Mandatory, ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Set-NetFirewallRule' $PSBoundParameters $_ }
}
function Get-NetFirewallRule {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0')][switch]$All,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][string]$PolicyStore,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][string]$GPOSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][switch]$TracePolicyStore,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayName,
        [Parameter(ParameterSetName = 'set3')][string[]]$Description,
        [Parameter(ParameterSetName = 'set3')][string[]]$DisplayGroup,
        [Parameter(ParameterSetName = 'set3')][string[]]$Group,
        [Parameter(ParameterSetName = 'set3')][object]$Enabled,
        [Parameter(ParameterSetName = 'set3')][object]$Direction,
        [Parameter(ParameterSetName = 'set3')][object]$Action,
        [Parameter(ParameterSetName = 'set3')][object]$EdgeTraversalPolicy,
        [Parameter(ParameterSetName = 'set3')][bool[]]$LooseSourceMapping,
        [Parameter(ParameterSetName = 'set3')][bool[]]$LocalOnlyMapping,
        [Parameter(ParameterSetName = 'set3')][string[]]$Owner,
        [Parameter(ParameterSetName = 'set3')][object]$PrimaryStatus,
        [Parameter(ParameterSetName = 'set3')][string[]]$Status,
        [Parameter(ParameterSetName = 'set3')][string[]]$PolicyStoreSource,
        [Parameter(ParameterSetName = 'set3')][object]$PolicyStoreSourceType,
        [Parameter(ParameterSetName = 'set4', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallAddressFilter,
        [Parameter(ParameterSetName = 'set5', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallApplicationFilter,
        [Parameter(ParameterSetName = 'set6', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallInterfaceFilter,
        [Parameter(ParameterSetName = 'set7', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallInterfaceTypeFilter,
        [Parameter(ParameterSetName = 'set8', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallPortFilter,
        [Parameter(ParameterSetName = 'set9', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallSecurityFilter,
        [Parameter(ParameterSetName = 'set10', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallServiceFilter,
        [Parameter(ParameterSetName = 'set11', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallProfile
    )
    process { & $StubHandler 'Get-NetFirewallRule' $PSBoundParameters $_ }
}
function Remove-NetFirewallRule {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0')][switch]$All,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][string]$PolicyStore,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][string]$GPOSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')][switch]$TracePolicyStore,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')] [Parameter(ParameterSetName = 'set12')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')] [Parameter(ParameterSetName = 'set12')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')] [Parameter(ParameterSetName = 'set12')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')] [Parameter(ParameterSetName = 'set4')] [Parameter(ParameterSetName = 'set5')] [Parameter(ParameterSetName = 'set6')] [Parameter(ParameterSetName = 'set7')] [Parameter(ParameterSetName = 'set8')] [Parameter(ParameterSetName = 'set9')] [Parameter(ParameterSetName = 'set10')] [Parameter(ParameterSetName = 'set11')] [Parameter(ParameterSetName = 'set12')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][string[]]$Name,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$DisplayName,
        [Parameter(ParameterSetName = 'set3')][string[]]$Description,
        [Parameter(ParameterSetName = 'set3')][string[]]$DisplayGroup,
        [Parameter(ParameterSetName = 'set3')][string[]]$Group,
        [Parameter(ParameterSetName = 'set3')][object]$Enabled,
        [Parameter(ParameterSetName = 'set3')][object]$Direction,
        [Parameter(ParameterSetName = 'set3')][object]$Action,
        [Parameter(ParameterSetName = 'set3')][object]$EdgeTraversalPolicy,
        [Parameter(ParameterSetName = 'set3')][bool[]]$LooseSourceMapping,
        [Parameter(ParameterSetName = 'set3')][bool[]]$LocalOnlyMapping,
        [Parameter(ParameterSetName = 'set3')][string[]]$Owner,
        [Parameter(ParameterSetName = 'set3')][object]$PrimaryStatus,
        [Parameter(ParameterSetName = 'set3')][string[]]$Status,
        [Parameter(ParameterSetName = 'set3')][string[]]$PolicyStoreSource,
        [Parameter(ParameterSetName = 'set3')][object]$PolicyStoreSourceType,
        [Parameter(ParameterSetName = 'set4', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallAddressFilter,
        [Parameter(ParameterSetName = 'set5', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallApplicationFilter,
        [Parameter(ParameterSetName = 'set6', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallInterfaceFilter,
        [Parameter(ParameterSetName = 'set7', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallInterfaceTypeFilter,
        [Parameter(ParameterSetName = 'set8', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallPortFilter,
        [Parameter(ParameterSetName = 'set9', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallSecurityFilter,
        [Parameter(ParameterSetName = 'set10', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallServiceFilter,
        [Parameter(ParameterSetName = 'set11', Mandatory, ValueFromPipeline)][object]$AssociatedNetFirewallProfile,
        [Parameter(ParameterSetName = 'set12', Mandatory, ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Remove-NetFirewallRule' $PSBoundParameters $_ }
}
function Register-ScheduledTask {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set2', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set3', Position = 0)][string]$TaskName,
        [Parameter(ParameterSetName = 'set0', Position = 1)] [Parameter(ParameterSetName = 'set1', Position = 1)] [Parameter(ParameterSetName = 'set2', Position = 1)] [Parameter(ParameterSetName = 'set3', Position = 1)][string]$TaskPath,
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 2)] [Parameter(ParameterSetName = 'set2', Mandatory, Position = 2)][object]$Action,
        [Parameter(ParameterSetName = 'set0', Position = 3)] [Parameter(ParameterSetName = 'set2', Position = 3)][object]$Trigger,
        [Parameter(ParameterSetName = 'set0', Position = 4)] [Parameter(ParameterSetName = 'set2', Position = 4)][object]$Settings,
        [Parameter(ParameterSetName = 'set0', Position = 5)] [Parameter(ParameterSetName = 'set1', Position = 3)] [Parameter(ParameterSetName = 'set3', Position = 3)][string]$User,
        [Parameter(ParameterSetName = 'set0', Position = 6)] [Parameter(ParameterSetName = 'set1', Position = 4)] [Parameter(ParameterSetName = 'set3', Position = 4)][string]$Password,
        [Parameter(ParameterSetName = 'set0', Position = 7)][object]$RunLevel,
        [Parameter(ParameterSetName = 'set0', Position = 8)] [Parameter(ParameterSetName = 'set2', Position = 6)][string]$Description,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][switch]$Force,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')] [Parameter(ParameterSetName = 'set2')] [Parameter(ParameterSetName = 'set3')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 2)][string]$Xml,
        [Parameter(ParameterSetName = 'set2', Position = 5)][object]$Principal,
        [Parameter(ParameterSetName = 'set3', Mandatory, Position = 2, ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Register-ScheduledTask' $PSBoundParameters $_ }
}
function Unregister-ScheduledTask {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Position = 0)][string[]]$TaskName,
        [Parameter(ParameterSetName = 'set0', Position = 1)][string[]]$TaskPath,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][switch]$PassThru,
        [Parameter(ParameterSetName = 'set1', Mandatory, ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Unregister-ScheduledTask' $PSBoundParameters $_ }
}
function Start-ScheduledTask {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string]$TaskName,
        [Parameter(ParameterSetName = 'set0', Position = 1)][string]$TaskPath,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$CimSession,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][int]$ThrottleLimit,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][switch]$AsJob,
        [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0, ValueFromPipeline)][object]$InputObject
    )
    process { & $StubHandler 'Start-ScheduledTask' $PSBoundParameters $_ }
}
function New-WSManInstance {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][uri]$ResourceURI,
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 1)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 1)][hashtable]$SelectorSet,
        [Parameter(ParameterSetName = 'set0')][string]$ApplicationName,
        [Parameter(ParameterSetName = 'set0')][string]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$FilePath,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$OptionSet,
        [Parameter(ParameterSetName = 'set0')][int]$Port,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$SessionOption,
        [Parameter(ParameterSetName = 'set0')][switch]$UseSSL,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$ValueSet,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][pscredential]$Credential,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$CertificateThumbprint,
        [Parameter(ParameterSetName = 'set1')][uri]$ConnectionURI
    )
    process { & $StubHandler 'New-WSManInstance' $PSBoundParameters $_ }
}
function Set-WSManInstance {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][uri]$ResourceURI,
        [Parameter(ParameterSetName = 'set0', Position = 1)] [Parameter(ParameterSetName = 'set1', Position = 1)][hashtable]$SelectorSet,
        [Parameter(ParameterSetName = 'set0')][string]$ApplicationName,
        [Parameter(ParameterSetName = 'set0')][string]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][uri]$Dialect,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$FilePath,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$Fragment,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$OptionSet,
        [Parameter(ParameterSetName = 'set0')][int]$Port,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$SessionOption,
        [Parameter(ParameterSetName = 'set0')][switch]$UseSSL,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$ValueSet,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][pscredential]$Credential,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$CertificateThumbprint,
        [Parameter(ParameterSetName = 'set1')][uri]$ConnectionURI
    )
    process { & $StubHandler 'Set-WSManInstance' $PSBoundParameters $_ }
}
function Get-WSManInstance {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][uri]$ResourceURI,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$ApplicationName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][uri]$ConnectionURI,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][uri]$Dialect,
        [Parameter(ParameterSetName = 'set0')][string]$Fragment,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$OptionSet,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][int]$Port,
        [Parameter(ParameterSetName = 'set0')][hashtable]$SelectorSet,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$SessionOption,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][switch]$UseSSL,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][pscredential]$Credential,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$CertificateThumbprint,
        [Parameter(ParameterSetName = 'set1', Mandatory)][switch]$Enumerate,
        [Parameter(ParameterSetName = 'set1')][switch]$BasePropertiesOnly,
        [Parameter(ParameterSetName = 'set1')][string]$Filter,
        [Parameter(ParameterSetName = 'set1')][switch]$Associations,
        [Parameter(ParameterSetName = 'set1')][string]$ReturnType,
        [Parameter(ParameterSetName = 'set1')][switch]$Shallow
    )
    process { & $StubHandler 'Get-WSManInstance' $PSBoundParameters $_ }
}
function Remove-WSManInstance {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 0)][uri]$ResourceURI,
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 1)] [Parameter(ParameterSetName = 'set1', Mandatory, Position = 1)][hashtable]$SelectorSet,
        [Parameter(ParameterSetName = 'set0')][string]$ApplicationName,
        [Parameter(ParameterSetName = 'set0')][string]$ComputerName,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][hashtable]$OptionSet,
        [Parameter(ParameterSetName = 'set0')][int]$Port,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$SessionOption,
        [Parameter(ParameterSetName = 'set0')][switch]$UseSSL,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][pscredential]$Credential,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][object]$Authentication,
        [Parameter(ParameterSetName = 'set0')] [Parameter(ParameterSetName = 'set1')][string]$CertificateThumbprint,
        [Parameter(ParameterSetName = 'set1')][uri]$ConnectionURI
    )
    process { & $StubHandler 'Remove-WSManInstance' $PSBoundParameters $_ }
}
function New-SelfSignedCertificate {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0')][object]$SecurityDescriptor,
        [Parameter(ParameterSetName = 'set0')][string[]]$TextExtension,
        [Parameter(ParameterSetName = 'set0')][object]$Extension,
        [Parameter(ParameterSetName = 'set0')][object]$HardwareKeyUsage,
        [Parameter(ParameterSetName = 'set0')][object]$KeyUsageProperty,
        [Parameter(ParameterSetName = 'set0')][object]$KeyUsage,
        [Parameter(ParameterSetName = 'set0')][object]$KeyProtection,
        [Parameter(ParameterSetName = 'set0')][object]$KeyExportPolicy,
        [Parameter(ParameterSetName = 'set0')][int]$KeyLength,
        [Parameter(ParameterSetName = 'set0')][string]$KeyAlgorithm,
        [Parameter(ParameterSetName = 'set0')][switch]$SmimeCapabilities,
        [Parameter(ParameterSetName = 'set0')][switch]$ExistingKey,
        [Parameter(ParameterSetName = 'set0')][string]$KeyLocation,
        [Parameter(ParameterSetName = 'set0')][string]$SignerReader,
        [Parameter(ParameterSetName = 'set0')][string]$Reader,
        [Parameter(ParameterSetName = 'set0')][securestring]$SignerPin,
        [Parameter(ParameterSetName = 'set0')][securestring]$Pin,
        [Parameter(ParameterSetName = 'set0')][string]$KeyDescription,
        [Parameter(ParameterSetName = 'set0')][string]$KeyFriendlyName,
        [Parameter(ParameterSetName = 'set0')][string]$Container,
        [Parameter(ParameterSetName = 'set0')][string]$Provider,
        [Parameter(ParameterSetName = 'set0')][object]$CurveExport,
        [Parameter(ParameterSetName = 'set0')][object]$KeySpec,
        [Parameter(ParameterSetName = 'set0')][object]$Type,
        [Parameter(ParameterSetName = 'set0')][string]$FriendlyName,
        [Parameter(ParameterSetName = 'set0')][datetime]$NotAfter,
        [Parameter(ParameterSetName = 'set0')][datetime]$NotBefore,
        [Parameter(ParameterSetName = 'set0')][string]$SerialNumber,
        [Parameter(ParameterSetName = 'set0')][string]$Subject,
        [Parameter(ParameterSetName = 'set0')][string[]]$DnsName,
        [Parameter(ParameterSetName = 'set0')][string[]]$SuppressOid,
        [Parameter(ParameterSetName = 'set0')][string]$HashAlgorithm,
        [Parameter(ParameterSetName = 'set0')][switch]$AlternateSignatureAlgorithm,
        [Parameter(ParameterSetName = 'set0')][switch]$TestRoot,
        [Parameter(ParameterSetName = 'set0')][object]$Signer,
        [Parameter(ParameterSetName = 'set0')][object]$CloneCert,
        [Parameter(ParameterSetName = 'set0')][string]$CertStoreLocation
    )
    process { & $StubHandler 'New-SelfSignedCertificate' $PSBoundParameters $_ }
}
function Get-AuthenticodeSignature {
    [CmdletBinding(DefaultParameterSetName = 'set0', PositionalBinding = $false, SupportsShouldProcess)]
    param(
        [Parameter(ParameterSetName = 'set0', Mandatory, Position = 0)][string[]]$FilePath,
        [Parameter(ParameterSetName = 'set1', Mandatory)][string[]]$LiteralPath,
        [Parameter(ParameterSetName = 'set2', Mandatory)][string[]]$SourcePathOrExtension,
        [Parameter(ParameterSetName = 'set2', Mandatory)][byte[]]$Content
    )
    process { & $StubHandler 'Get-AuthenticodeSignature' $PSBoundParameters $_ }
}
