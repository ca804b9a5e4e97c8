; The installer for Windows, for Inno Setup 6, from the bundle in dist\understudy:
;   iscc /DVersion=0.1.0 packaging\windows\understudy.iss
; Installs for one user, without the rights of an administrator; settings, models and filters of the user stay when it
; is removed.
#ifndef Version
  #error Say which version it is: /DVersion=0.1.0
#endif

[Setup]
AppId={{8A0C6B1E-5D0F-4C63-9A2B-3D1F7A1C9E42}
AppName=Understudy
AppVersion={#Version}
AppPublisher=The Understudy authors
DefaultDirName={autopf}\Understudy
DefaultGroupName=Understudy
PrivilegesRequired=lowest
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
SourceDir=..\..
OutputDir=dist
OutputBaseFilename=understudy-{#Version}-windows-setup
LicenseFile=LICENSE
SetupIconFile=build\icons\understudy.ico
UninstallDisplayIcon={app}\understudy.exe
Compression=lzma2
SolidCompression=yes

[Files]
Source: "dist\understudy\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[InstallDelete]
; Libraries of an older version must not stay beside those of this one.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\Understudy"; Filename: "{app}\understudy.exe"; Parameters: "run"; WorkingDir: "{userdocs}"
Name: "{autodesktop}\Understudy"; Filename: "{app}\understudy.exe"; Parameters: "run"; Tasks: desktop

[Tasks]
Name: desktop; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Run]
Filename: "{app}\understudy.exe"; Parameters: "run"; Description: "{cm:LaunchProgram,Understudy}"; Flags: nowait postinstall skipifsilent
